select app as subject, name as key, rows, name, near, exact_name, same_skeleton, one_letter_off, odd_name, tool_name from signal.deceptive_name
