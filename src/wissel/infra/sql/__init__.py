"""SQL: units committed whole, on two dialects, with migrations."""
