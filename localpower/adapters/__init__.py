"""localpower inside other people's programs: each file here speaks one program's language and asks the library."""
