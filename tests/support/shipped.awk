# shipped.awk CURVES: some numbers of claims.csv as the text prints them, computed from the curves
# alone: `CLAIM TEXT` lines.  For awk -F,
FNR == 1 {
    for (i = 1; i <= NF; i++) column[$i] = i
    next
}

# Where the runs of set main end: by arm and seed.  Of an arm with two ratios 0.4 counts.
$column["corpus"] == "builtin" && $column["set"] == "main" {
    ratio = $column["ratio"]
    if (ratio != "" && ratio != 0.4 && ratio != 1) next
    loss[$column["arm"], $column["seed"]] = $column["target_loss"]
    seeds[$column["seed"]]
}

# The mean over the seeds of how much lower arm a ends than b.
function difference(a, b,    s, sum, n) {
    for (s in seeds) {
        if (!((a, s) in loss) || !((b, s) in loss)) continue
        sum += loss[a, s] - loss[b, s]
        n++
    }
    return n ? sum / n : 0
}

function tell(claim, a, b,    d) {
    d = difference(a, b)
    if (d != 0) printf "%s-builtin %.3f\n", claim, d
}

END {
    tell("controls", "slm", "random")
    tell("beats-reference", "slm", "reference")
    tell("beats-mixing", "slm", "mixed")
    tell("tuned-after", "slm_tuned", "clm_tuned")
    tell("beats-clean", "slm", "clean")
}
