"""The report of gains of one budget year: the same figures in a workbook, a csv, a JSON and a PDF."""
