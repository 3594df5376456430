# numbers.awk CURVES: the main numbers of the report of `make repro`, computed again from the runs'
# curves.  Prints `NAME NUMBER` lines.  For awk -F,
#
# A group of runs is corpus/set/arm/ratio/noise/size/clean.  g, a and b are groups, s is a seed, n a
# point.
function cell(name) {
    return $column[name]
}

function group() {
    return cell("corpus") "/" cell("set") "/" cell("arm") "/" cell("ratio") "/" cell("noise") "/" \
        cell("size") "/" cell("clean_bytes") (cell("set") == "multiplier" ? "/" cell("steps") : "")
}

FNR == 1 {
    for (i = 1; i <= NF; i++) column[$i] = i
    next
}

{
    g = group()
    s = cell("seed")
    n = ++points[g, s]
    if (n == 1) {
        seeds[g] = seeds[g] " " s
        first_dropped[g, s] = cell("fixed_dropped_loss")
    }
    last_dropped[g, s] = cell("fixed_dropped_loss")
    tokens[g, s, n] = cell("tokens")
    loss[g, s, n] = cell("target_loss")
    cost[g, s, n] = cell("flops_all")
    accuracy[g, s, n] = cell("target_accuracy")
    if (cell("auc") != "") {
        auc[g, s] += cell("auc")
        aucs[g, s]++
    }
}

# x where the run (a, s) crosses the level of y, or 0.  With sign -1 the metric rises.
function crossing(a, s, x, y, level, sign,    i, part) {
    for (i = 2; i <= points[a, s]; i++) {
        if (sign * y[a, s, i] > sign * level) continue
        part = (y[a, s, i - 1] - level) / (y[a, s, i - 1] - y[a, s, i])
        return x[a, s, i - 1] + part * (x[a, s, i] - x[a, s, i - 1])
    }
    return 0
}

# Geometric mean over the seeds of x where b first has the y of its end, divided by x where a has
# it.  A run that does not reach it counts as half as fast.
function sooner(a, b, x, y, sign,    list, k, m, s, end, at, own, sum) {
    m = split(seeds[a], list, " ")
    sum = 0
    for (k = 1; k <= m; k++) {
        s = list[k]
        end = points[b, s]
        at = crossing(a, s, x, y, y[b, s, end], sign)
        own = crossing(b, s, x, y, y[b, s, end], sign)
        sum += at > 0 ? log(own / at) : log(0.5)
    }
    return exp(sum / m)
}

# Geometric mean over the seeds of the multiple of the shortest of the runs list[1 .. m] at which
# plain training comes where s ends, on the straight line over its logarithm.
function multiple(list, m, slm, y,    seeds_of, k, n, s, i, level, before, at, x, sum) {
    n = split(seeds[slm], seeds_of, " ")
    sum = 0
    for (k = 1; k <= n; k++) {
        s = seeds_of[k]
        level = y[slm, s, points[slm, s]]
        for (i = 1; i <= m; i++) {
            at = y[list[i], s, points[list[i], s]]
            x = log(2 ^ (i - 1))
            if (at <= level) break
            before = at
        }
        if (i > 1 && i <= m)
            x = log(2 ^ (i - 2)) + log(2) * (level - before) / (at - before)
        sum += x
    }
    return exp(sum / n)
}

# Mean over the seeds of y at the end of a minus y at the end of b.
function difference(a, b, y,    list, k, m, s, sum) {
    m = split(seeds[a], list, " ")
    sum = 0
    for (k = 1; k <= m; k++) {
        s = list[k]
        sum += y[a, s, points[a, s]] - y[b, s, points[b, s]]
    }
    return sum / m
}

function tell(name, number) {
    printf "%s %.9g\n", name, number
}

END {
    main = "builtin/main/"
    slm = main "slm/0.4/0.2//60000"
    clm = main "clm//0.2//60000"
    tell("sooner", sooner(slm, clm, tokens, loss, 1))
    tell("accuracy", sooner(slm, clm, tokens, accuracy, -1))
    tell("cost", sooner(slm, clm, cost, loss, 1))

    a = "openstax/main/slm/0.4///480000"
    b = "openstax/main/clm////480000"
    tell("openstax", sooner(a, b, tokens, loss, 1))
    a = "builtin/map/slm/0.4/0.4//60000"
    b = "builtin/map/clm//0.4//60000"
    tell("map", sooner(a, b, tokens, loss, 1))

    tell("random", difference(slm, main "random/0.4/0.2//60000", loss))
    a = main "slm_tuned/0.4/0.2//60000"
    b = main "clm_tuned//0.2//60000"
    tell("tuned", difference(a, b, loss))
    a = "builtin/weak/slm/0.4/0.2/0.25/60000"
    b = "builtin/weak/clm//0.2//60000"
    tell("weak", 100 * difference(a, b, accuracy))

    lengths[1] = "builtin/multiplier/clm//0.2//60000/48"
    lengths[2] = "builtin/multiplier/clm//0.2//60000/96"
    lengths[3] = "builtin/multiplier/clm//0.2//60000/192"
    tell("multiplier", multiple(lengths, 3, "builtin/multiplier/slm/0.4/0.2//60000/48", loss))
    a = "builtin/sizes/slm/0.4/0.2/0.86/60000"
    b = "builtin/sizes/clm//0.2/0.86/60000"
    tell("size", difference(a, b, loss))

    m = split(seeds[slm], list, " ")
    for (k = 1; k <= m; k++) {
        s = list[k]
        rise += (last_dropped[slm, s] - first_dropped[slm, s]) / m
        area += auc[slm, s] / aucs[slm, s] / m
    }
    tell("rise", rise)
    tell("auc", area)
}
