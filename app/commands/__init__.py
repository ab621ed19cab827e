"""What `xfactor COMMAND` does; each command imports only what it needs."""
