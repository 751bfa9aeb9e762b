"""What happened: event files, the run directory, the ``Run`` made of them, its ledger and witnesses."""
