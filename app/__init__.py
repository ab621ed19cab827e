"""The program: window, command, engine, media. Never imports torch."""
