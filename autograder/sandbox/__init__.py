"""The wall's first half: a kernel that can reach nothing but its own scratch folder."""
