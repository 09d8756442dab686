"""Who can do the work of jobs, one module each."""
