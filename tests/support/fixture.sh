#!/bin/sh
# fixture.sh FOLDER: makes up what `make repro` leaves in a folder (CSVs of four seeds), for tests
# of its report.  The numbers are formulas with a little noise; nothing is trained.  Prints nothing.
mkdir -p "$1" || exit 1
awk -v dir="$1" -f "$(dirname "$0")/fixture.awk"
