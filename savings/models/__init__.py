"""The ledger of gains: reference prices, lines, postings, locks, and what is told of a year."""

from savings.models.baseline import Baseline
from savings.models.costs import CoordinationCost, OffContractSpend
from savings.models.ledger import LedgerEntry, YearLock
from savings.models.line import PriceLine
from savings.models.report import SavingsReportFile
from savings.models.sheet import AnnualSheet

__all__ = [
    "AnnualSheet",
    "Baseline",
    "CoordinationCost",
    "LedgerEntry",
    "OffContractSpend",
    "PriceLine",
    "SavingsReportFile",
    "YearLock",
]
