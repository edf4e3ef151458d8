# Completes meshctl in fish. Type: meshctl completion fish | source
function __meshctl_complete
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    set -l current (commandline -ct)
    for line in ($program complete -- $words "$current" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path "$current"
            case :more
            case '*'
                echo $line
        end
    end
end
complete -c meshctl -f -a '(__meshctl_complete)'
