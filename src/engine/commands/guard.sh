# shellcheck shell=sh
# guard.sh PATH: sent before the scripts that change a file, behind keeper.sh. $keeper tells whether somebody else than
# root decides where PATH leads. Sets $private_directory to that user's directory where PATH is a name in it and root
# alone leads to it: there root can work in a folder of its own.

find_keeper "$1"
# shellcheck disable=SC2034 # for the scripts behind it
case ${keeper:+${real#"${keeper_directory%/}"/}} in
  "" | */*) private_directory="" ;;
  *) private_directory=$keeper_directory ;;
esac

# refuse_keeper PATH
refuse_keeper() {
  echo "$1 is not root's to change: the user with the id ${keeper%:*} can write $keeper_directory and decides where it leads. Give that directory to root (chown root:root, chmod go-w), or keep the file elsewhere"
  exit 1
}
