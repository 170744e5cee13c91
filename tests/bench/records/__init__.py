"""Records: posting one against validating it alone, reading one, lists of few and of many, and a Bundle's memory."""
