"""The amounts of a line, without pandas: what the engine computes, the ledger adds up and the reports tell."""

#: € excl. tax to the cent: the reference without and with the index, what is paid instead, and the two differences.
AMOUNTS = ("baseline_budget", "baseline_purchase", "obtained", "budget_gain", "purchase_gain")
