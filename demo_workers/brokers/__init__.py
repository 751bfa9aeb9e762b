"""Room for one protocol over several message brokers (chapter 01); nothing here yet."""
