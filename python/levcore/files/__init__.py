"""Tables in and out of files; the only place that opens one."""
