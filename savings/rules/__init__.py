"""The rules of the ledger, without Django nor database. ``gains`` alone uses pandas: it works on whole tables."""
