"""The cells of a table: files, columns, time stamps and values, each checked as it is read."""
