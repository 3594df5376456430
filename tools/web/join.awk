# join.awk: makes one file of a page and its parts: awk -f join.awk index.html.  A line
# `@include FILE` is replaced by that file; its path counts from here.
/^@include / {
    file = $2
    while ((answer = (getline line <file)) > 0) print line
    if (answer < 0) {
        print FILENAME ": " file " cannot be read" >"/dev/stderr"
        exit 1
    }
    close(file)
    next
}
{ print }
