"""The program: window, commands and the live threads. Never imports torch."""
