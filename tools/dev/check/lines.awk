# lines.awk: every text file.  At most 100 columns, no tab in C, nothing behind the end of a line.
BEGIN { COLUMNS = 100 }

{
    line = $0
    if (FILENAME ~ /\.md$/) line = without_links(line)
    gsub(/[\200-\277]/, "", line)              # in UTF-8 a character is its first byte
    if (length(line) > COLUMNS) violation(length(line) " columns, at most " COLUMNS)
    if (/[ \t\r]$/) violation("white space at the end of the line")
    if (FILENAME ~ /\.[ch]$/ && /\t/) violation("a tab")
}

# Tables and links of a text cannot be broken: they are not counted.
function without_links(line) {
    if (line ~ /^ *\|/) return ""
    gsub(/\]\([^)]*\)/, "]", line)
    gsub(/https?:\/\/[^ )]*/, "", line)
    return line
}
