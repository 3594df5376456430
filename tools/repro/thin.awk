# thin.awk CURVES: what of curves.csv the claims need, with seven digits.  For awk -F,
#
# Of plain training and the arms that it is compared with in the sets main and map all points are
# kept, of the other arms of set main those with losses on the fixed piece, of any other run the
# first and the last.
function wanted(    name) {
    name = "corpus set arm seed ratio noise wrong size lr steps tokens flops flops_all"
    name = name " target_loss target_accuracy valid_loss valid_accuracy target_exact auc"
    name = name " fixed_kept_loss fixed_dropped_loss fixed_all_loss target_share clean_bytes"
    return name
}

function shorten(text) {
    return text ~ /^-?[0-9.]+(e[-+]?[0-9]+)?$/ ? sprintf("%.7g", text) : text
}

function put(row,    i, cells, line) {
    split(row, cells, FS)
    line = ""
    for (i = 1; i <= columns; i++)
        line = line (i > 1 ? "," : "") shorten(cells[column[names[i]]])
    print line
}

# The last row of a run is known when the next run begins.
function end_run() {
    if (held != "") put(held)
    held = ""
}

function is_wanted() {
    if ($column["set"] != "main" && $column["set"] != "map") return 0
    if ($column["arm"] ~ /^(clm|slm|random|loss)$/) return 1
    return $column["set"] == "main" && $column["fixed_kept_loss"] != ""
}

FNR == 1 {
    for (i = 1; i <= NF; i++) column[$i] = i
    columns = split(wanted(), names, " ")
    header = names[1]
    for (i = 2; i <= columns; i++) header = header "," names[i]
    print header
    next
}

{
    run = ""
    for (i = 1; i <= 10; i++)
        run = run "," $i
    run = run "," $column["target_share"] "," $column["clean_bytes"]
    if (run != last_run || $column["tokens"] + 0 < last_tokens) {
        end_run()
        put($0)
    } else {
        held = $0
        if (is_wanted()) end_run()
    }
    last_run = run
    last_tokens = $column["tokens"] + 0
}

END { end_run() }
