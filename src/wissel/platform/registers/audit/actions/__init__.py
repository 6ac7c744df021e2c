"""What is done with the audit log: sequence, prove, gather cosignatures, check, reopen, export, prune."""
