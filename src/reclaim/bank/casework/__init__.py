"""Case files: what practitioners of organisations work on."""
