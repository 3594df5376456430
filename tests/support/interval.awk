# interval.awk FIGURE CURVES: is the interval of the figure's row `Selective (SLM) 40%,by target
# loss` that of Student's t over the logarithms of four seeds?  For awk -F,
FNR == NR {
    if (index($0, "Selective (SLM) 40%,by target loss,") == 1) {
        low = $4
        high = $5
    }
    next
}

FNR == 1 {
    for (i = 1; i <= NF; i++) column[$i] = i
    next
}

$column["corpus"] == "builtin" && $column["set"] == "main" {
    arm = $column["arm"]
    s = $column["seed"]
    p = ++n[arm, s]
    x[arm, s, p] = $column["tokens"]
    y[arm, s, p] = $column["target_loss"]
}

# Where the run of an arm and a seed first has that loss.
function crossing(arm, s, level,    p, part) {
    for (p = 2; p <= n[arm, s]; p++) {
        if (y[arm, s, p] > level) continue
        part = (y[arm, s, p - 1] - level) / (y[arm, s, p - 1] - y[arm, s, p])
        return x[arm, s, p - 1] + part * (x[arm, s, p] - x[arm, s, p - 1])
    }
}

# How much sooner one seed's selective run is where its plain run ends, as a logarithm.
function log_sooner(s,    level) {
    level = y["clm", s, n["clm", s]]
    return log(crossing("clm", s, level) / crossing("slm", s, level))
}

function close_to(a, b) {
    return a != "" && (a - b) ^ 2 <= 1e-10 * b * b
}

# 3.182446: the 97.5% of Student's t with three degrees of freedom.
END {
    for (s = 1; s <= 4; s++) mean += log_sooner(s) / 4
    for (s = 1; s <= 4; s++) squares += (log_sooner(s) - mean) ^ 2
    half = 3.182446 * sqrt(squares / 3 / 4)
    exit !(close_to(low, exp(mean - half)) && close_to(high, exp(mean + half)))
}
