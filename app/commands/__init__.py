"""Commands: `xfactor COMMAND`, one module each; a module imports only what its command needs."""
