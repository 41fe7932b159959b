//! TCG event logs of confidential VMs (CCEL), replayed to the runtime measurement registers.
