/** The playbook's key for a step, for example "sysctl". */
export type StepName = string;
