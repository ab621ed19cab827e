"""Movement: measures of parts and joints over time, and the guard of left and right. No Qt, no torch."""
