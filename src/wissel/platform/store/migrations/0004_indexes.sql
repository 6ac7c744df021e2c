-- Indexes for what is looked up often: receipts by message, and processes whose last day has passed.

CREATE INDEX mail_message ON mail (receiver, source, id);
CREATE INDEX processes_end ON processes (life, end_day);
