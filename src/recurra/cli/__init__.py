"""The command line: one verb, one file.

A verb reads its options, checks the files to be read and written, and calls the library; torch is
imported only once there is something to learn from. Data go to standard output or to ``--out``,
everything else to standard error.

====  =========================================================
code  meaning
====  =========================================================
0     it went well
1     the training failed, or Recurra did: then with a traceback
2     a file, a column or an option is wrong: one line says how
130   interrupted from the keyboard
141   the reader of standard output went away
====  =========================================================
"""

from recurra.cli.app import main

__all__ = ["main"]
