"""Reports: a certificate and its summary, as a person reads them. Nothing is computed or proved here."""

from reports.document import Drawn, UnreadableReport, draw, write_report
from reports.program_text import write_program

__all__ = ["Drawn", "UnreadableReport", "draw", "write_program", "write_report"]
