"""Links: which are taken, and their download by yt-dlp in a process of its own."""
