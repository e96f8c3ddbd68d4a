//! What is said of each mistake: its code, what is underlined, the sentence, other places, help.

use super::{check, check_clause};

#[test]
fn ten_mistakes_in_ten_clauses() {
    check(
        r##"rule a "b" {
    severity hihg
    tags a-b, c
    on get secrets
    wher x = 1
    except a < b < c
    by user.username,
    when count() > 3
    throttle 5
    about a title
    see http
    alert "{x y}"
}
"##,
        r##"E111 [hihg] there is no severity `hihg` (did you mean `high`?)
E101 [a-b] `a-b` is no tag (a tag is of letters, digits and `_`, its parts stand apart by single dots)
E101 [secrets] expected `,` or `of` after the verbs, found `secrets` (write verbs `of` resources: `on create, update of pods`)
E106 [wher] a rule has no clause `wher` (did you mean `where`?)
E110 [=] `=` is no operator of the language (write `==`)
E105 [<] comparisons do not chain; [<] the comparison before it (write both, joined by `and`: `a < b and b < c`)
E101 [when] expected a value to group by, found `when`
E101 [5] expected a duration, found the number `5` (a duration has a unit: `5s` or `5m`)
E101 [a] expected a text, found `a` (a text stands in quotes: `"…"`)
E101 [http] expected an address in quotes, found `http` (a text stands in quotes: `"…"`)
E101 [y] expected `}` after the value, found `y` (a brace itself is written `{{`)"##,
    );
}

#[test]
fn slips_of_operators() {
    check_clause(
        r##"where a = 1 and b === 2 && !(c) || d <> 3 or e startsWith "x" AND NOT f is 1 or g =~ "x""##,
        r##"E110 [=] `=` is no operator of the language (write `==`)
E110 [===] `===` is no operator of the language (write `==`)
E110 [&&] `&&` is no operator of the language (write `and`)
E110 [!] `!` is no operator of the language (write `not`)
E110 [||] `||` is no operator of the language (write `or`)
E110 [<>] `<>` is no operator of the language (write `!=`)
E110 [startsWith] `startsWith` is no operator of the language (write `startswith`)
E110 [AND] `AND` is no operator of the language (write `and`)
E110 [NOT] `NOT` is no operator of the language (write `not`)
E110 [is] `is` is no operator of the language (write `==`)
E110 [=~] `=~` is no operator of the language (write `matches`)"##,
    );
}

#[test]
fn comparisons_do_not_chain() {
    check_clause(
        r##"where a < b < c and d"##,
        r##"E105 [<] comparisons do not chain; [<] the comparison before it (write both, joined by `and`: `a < b and b < c`)"##,
    );
}

#[test]
fn not_stands_before_a_word() {
    check_clause(
        r##"where a not "x""##,
        r##"E101 ["x"] expected `in`, `contains`, `startswith`, `endswith`, `like` or `matches` after `not`, found `"x"`"##,
    );
}

#[test]
fn lists_stand_after_in() {
    check_clause(
        r##"where verb == ["get"]"##,
        r##"E101 [[] expected a single value, found `[` (a list stands after `in`: `verb in ["get", "list"]`)"##,
    );
}

#[test]
fn words_after_a_value() {
    check_clause(
        r##"where a is"##,
        r##"E106 [is] a rule has no clause `is` (there are `severity`, `tags`, `about`, `see`, `disable`, `on`, `where`, `except`, `by`, `across`, `when`, `sequence`, `unordered`, `alert`, `throttle`)"##,
    );
}

#[test]
fn quantifiers_have_parentheses() {
    check_clause(
        r##"where any c in containers: c.x == 1"##,
        r##"E101 [c] expected `(`, found `c` (write `any c in …: (…)`, so that one sees how far it goes)"##,
    );
}

#[test]
fn keys_in_quotes_stand_in_brackets() {
    check_clause(
        r##"where annotations."a/b" == "c""##,
        r##"E101 ["a/b"] expected a field's name after `.`, found `"a/b"` (a key in quotes stands in brackets: `annotations["a/b.c"]`)"##,
    );
}

#[test]
fn elements_stand_in_brackets() {
    check_clause(
        r##"where a.*.b == 1 or a.0 == 1"##,
        r##"E101 [*] expected a field's name after `.`, found `*` (`path[]` is each element of a list)"##,
    );
}

#[test]
fn times_stand_in_ranges() {
    check_clause(
        r##"where time == 22:00"##,
        r##"E101 [22:00] a time of day stands only in a range after `in` (write `time_of_day(…) in 22:00..06:00`)"##,
    );
}

#[test]
fn times_of_day_end_before_24() {
    check_clause(
        r##"where t in 25:00..06:00"##,
        r##"E313 [25:00] `25:00` is no time of day (it goes from `00:00` to `23:59`, two digits each)"##,
    );
}

#[test]
fn numbers_too_large() {
    check_clause(
        r##"throttle 99999999999w"##,
        r##"E108 [99999999999w] `99999999999w` is too large (the longest duration is about 292 years)"##,
    );
}

#[test]
fn numbers_of_other_languages() {
    check_clause(
        r##"where a == 1e5"##,
        r##"E108 [1e5] `1e5` is neither a number nor a duration (a duration is written like `90s` or `1h30m`, its units are `ms`, `s`, `m`, `h`, `d` and `w`)"##,
    );
}

#[test]
fn numbers_that_are_addresses() {
    check_clause(
        r##"where ip == 10.0.0.1"##,
        r##"E108 [10.0] `10.0.` goes on as no number does (an address or a version stands in quotes)"##,
    );
}

#[test]
fn durations_have_units() {
    check_clause(
        r##"throttle 5"##,
        r##"E101 [5] expected a duration, found the number `5` (a duration has a unit: `5s` or `5m`)"##,
    );
}

#[test]
fn durations_have_known_units() {
    check_clause(
        r##"throttle 5min"##,
        r##"E108 [5min] `5min` is neither a number nor a duration (a duration is written like `90s` or `1h30m`, its units are `ms`, `s`, `m`, `h`, `d` and `w`)"##,
    );
}

#[test]
fn texts_end() {
    check_clause(
        r##"where a == "b"##,
        r##"E107 ["b] this text has no closing quote (a text ends on the line on which it begins; `\n` stands for a line end in `"…"`)"##,
    );
}

#[test]
fn texts_of_word_processors() {
    check_clause(
        r##"where a == “b” and c == ‘d’"##,
        r##"E109 [“] “ is no quote of the language (write `"` or `'`)
E109 [‘] ‘ is no quote of the language (write `"` or `'`)"##,
    );
}

#[test]
fn bad_escapes() {
    check_clause(
        r##"where a == "\d \x41 \u0041 \/ \u{110000}""##,
        r##"E104 [\d] `\d` is no escape (in `'…'` a backslash stands for itself; in `"…"` write `\\`)
E104 [\x] `\x` is no escape (write `\u{…}` with the character's number in hexadecimal)
E104 [\u] `\u` is no escape (write the character's number in hexadecimal, as in `\u{2026}`)
E104 [\/] `\/` is no escape (`/` needs no backslash)
E104 [\u] `\u` is no escape (write the character's number in hexadecimal, as in `\u{2026}`)"##,
    );
}

#[test]
fn parentheses_are_closed() {
    check_clause(
        r##"where (a or (b and c)"##,
        r##"E107 [alert] expected `)`, found `alert`; [(] this `(` is not closed"##,
    );
}

#[test]
fn unknown_clauses() {
    check_clause(
        r##"whre a
    colour red
    thottle 5m"##,
        r##"E106 [whre] a rule has no clause `whre` (did you mean `where`?)
E106 [colour] a rule has no clause `colour` (there are `severity`, `tags`, `about`, `see`, `disable`, `on`, `where`, `except`, `by`, `across`, `when`, `sequence`, `unordered`, `alert`, `throttle`)
E106 [thottle] a rule has no clause `thottle` (did you mean `throttle`?)"##,
    );
}

#[test]
fn unknown_severity() {
    check_clause(
        r##"severity urgent"##,
        r##"E111 [urgent] there is no severity `urgent` (there are `none`, `info`, `low`, `medium`, `high` and `critical`)"##,
    );
}

#[test]
fn severity_without_quotes() {
    check_clause(
        r##"severity "high""##,
        r##"E111 ["high"] the severity `high` stands without quotes (write `high`)"##,
    );
}

#[test]
fn unknown_stage() {
    check_clause(
        r##"on get of pods at ResponseCompleted"##,
        r##"E112 [ResponseCompleted] there is no stage `ResponseCompleted` (did you mean `ResponseComplete`?)"##,
    );
}

#[test]
fn verbs_and_resources() {
    check_clause(
        r##"on Get of Pods, "secrets", "/api", pods/"##,
        r##"E101 [Get] `Get` is no verb (verbs are of small letters; others stand in quotes)
E101 [Pods] `Pods` is no resource (a resource is written as in `objectRef.resource`: `pods`, `pods/exec`, `issuers.cert-manager.io`)
E101 ["secrets"] resources stand without quotes (write `secrets`)
E101 ["/api"] a path stands after `nonresource` (write `nonresource "/api"`)
E101 [pods/] `pods/` is no resource (a resource is written as in `objectRef.resource`: `pods`, `pods/exec`, `issuers.cert-manager.io`)"##,
    );
}

#[test]
fn verbs_of_resources() {
    check_clause(
        r##"on get pods"##,
        r##"E101 [pods] expected `,` or `of` after the verbs, found `pods` (write verbs `of` resources: `on create, update of pods`)"##,
    );
}

#[test]
fn missing_verbs() {
    check_clause(r##"on of pods"##, r##"E101 [of] expected a verb such as `get`, found `of`"##);
}

#[test]
fn missing_targets() {
    check_clause(
        r##"on get of"##,
        r##"E101 [alert] expected a resource such as `pods`, or `nonresource` and a path, found `alert`"##,
    );
}

#[test]
fn dry_runs() {
    check_clause(
        r##"on get of pods including dryrun"##,
        r##"E101 [dryrun] expected `dry_run` after `including`, found `dryrun` (did you mean `dry_run`?)"##,
    );
}

#[test]
fn windows_are_within() {
    check_clause(
        r##"when count() > 3"##,
        r##"E101 [alert] expected `within`, `tumbling` or `session gap` after the condition of `when`, found `alert`"##,
    );
}

#[test]
fn keys_with_reserved_names() {
    check_clause(
        r##"by list = user.username"##,
        r##"E114 [list] `list` is a word of the language and cannot be the name of a key"##,
    );
}

#[test]
fn reserved_words_are_no_values() {
    check_clause(r##"where rule == 1"##, r##"E101 [rule] expected a condition, found `rule`"##);
}

#[test]
fn alert_without_quotes() {
    check_clause(
        r##"alert hello"##,
        r##"E101 [hello] expected the text of the alert, found `hello` (a text stands in quotes: `"…"`)"##,
    );
}

#[test]
fn braces_of_alerts() {
    check_clause(
        r##"alert "{} { a b } } {{ok}} {c""##,
        r##"E101 [}] expected a value after `{`, found `}` (a brace itself is written `{{`)
E101 [b] expected `}` after the value, found `b` (a brace itself is written `{{`)
E113 [}] this `}` closes nothing (a brace itself is written `}}`)
E113 [{] this `{` is not closed (a value ends with `}`; a brace itself is written `{{`)"##,
    );
}

#[test]
fn quotes_within_quotes_of_alerts() {
    check_clause(
        r##"alert "{labels["app"]} of {x}""##,
        r##"E113 [{] this `{` is not closed (a text within `{…}` needs other quotes than the text around it: `"{labels['app']}"`)"##,
    );
}

#[test]
fn spans_within_alerts_are_of_the_file() {
    check_clause(
        r##"alert "\"é\n{ a . 5 } x""##,
        r##"E101 [5] expected a field's name after `.`, found `5` (an element's number stands in brackets: `sourceIPs[0]`)"##,
    );
}

#[test]
fn steps() {
    check_clause(
        r##"sequence wihtin 5m {
        a: on get of
        b on get of pods
        c: on get of pods wher x
        no d within 5: on get of pods
        e: 5 tims on get of pods
    }"##,
        r##"E101 [wihtin] expected `within` and how long the steps may take, found `wihtin` (did you mean `within`?)
E101 [on] expected `where`, `by`, another step or `}`, found `on`
E101 [wher] expected `where`, `by` or another step, found `wher` (did you mean `where`?)
E101 [5] expected a duration, found the number `5` (a duration has a unit: `5s` or `5m`)
E101 [tims] expected `times` after the number, found `tims` (did you mean `times`?)"##,
    );
}

#[test]
fn steps_are_needed() {
    check_clause(
        r##"sequence within 5m {}"##,
        r##"E101 [{}] a sequence has steps (a step is written `name: on get of secrets where …`)"##,
    );
}

#[test]
fn names_are_kept_apart() {
    check(
        r##"rule list "x" {}
let 5 = 1
let "a" = 1"##,
        r##"E114 [list] `list` is a word of the language and cannot be the name of a rule
E101 [5] expected a name, found `5` (a name begins with a letter or `_`)
E101 ["a"] expected a name, found `"a"` (names stand without quotes)"##,
    );
}

#[test]
fn misspelt_items() {
    check(
        r##"rul a "b" { severity lw }
lst b = [1, @, 2]
lte c = 1 +
tets d "e" { expect alrt }"##,
        r##"E101 [rul] expected an item, found `rul` (did you mean `rule`?)
E111 [lw] there is no severity `lw` (there are `none`, `info`, `low`, `medium`, `high` and `critical`)
E101 [lst] expected an item, found `lst` (did you mean `list`?)
E101 [@] expected a value of the list or `]`, found `@`
E101 [lte] expected an item, found `lte` (did you mean `let`?)
E101 [d] expected an operator or the next item, found `d`"##,
    );
}

#[test]
fn missing_braces() {
    check(
        r##"rule a "b" {
    severity low

rule c "d" {
    sequence within 5m {
        a: on get of pods
}
"##,
        r##"E107 [rule] expected a clause or `}`, found `rule`; [{] this `{` is not closed
E107 [] expected a clause or `}`, found the end of the file; [{] this `{` is not closed"##,
    );
}

#[test]
fn braces_too_many() {
    check(
        r##"rule a "b" {}
}
where x
let a = 1"##,
        r##"E101 [}] this `}` closes nothing"##,
    );
}

#[test]
fn titles() {
    check(
        r##"rule a A secret is read {
    severity lo
}"##,
        r##"E101 [A] expected a rule's title in quotes, found `A` (a title says in one sentence what it finds: `"A secret is read"`)
E111 [lo] there is no severity `lo` (there are `none`, `info`, `low`, `medium`, `high` and `critical`)"##,
    );
}

#[test]
fn lists() {
    check(
        r##"list a = ["x" "y", @, 5x, "z"
list b = [1, 2
list c = {}
list d"##,
        r##"E101 ["y"] expected `,` or `]`, found `"y"` (values of a list stand apart by `,`)
E101 [@] expected a value of the list or `]`, found `@`
E108 [5x] `5x` is neither a number nor a duration (a duration is written like `90s` or `1h30m`, its units are `ms`, `s`, `m`, `h`, `d` and `w`)
E107 [list] expected `]`, found `list`; [[] this `[` is not closed
E107 [list] expected `]`, found `list`; [[] this `[` is not closed
E101 [{] expected `[` and the values of the list, found `{`
E101 [] expected `=` or `from`, found the end of the file"##,
    );
}

#[test]
fn after_an_item() {
    check(
        r##"let a = b c
let d = 1"##,
        r##"E101 [c] expected an operator or the next item, found `c`"##,
    );
}

#[test]
fn tests() {
    check(
        r##"test a "b" {
    given { a: 1, b 2, c: [1, , 2], d: foo, e: { f: 5m } }
    at 0s 3 times 5s {}
    at 1 {}
    gven { a: 1 }
    then { }
    expect alert at 5
    expect 3 alert
    expect
}
"##,
        r##"E101 [2] expected `:` and a value, found `2`
E101 [,] expected a value or `]`, found `,`
E101 [foo] expected a value, found `foo` (a text stands in quotes: `"foo"`)
E101 [5m] a duration is no value of an event (write it as a text, or as a number)
E101 [5s] expected `every` and the time between two, found `5s`
E101 [1] expected a duration, found the number `1` (a duration has a unit: `1s` or `1m`)
E106 [gven] a test has no line `gven` (did you mean `given`?)
E101 [gven] `given` stands twice (a test says `start`, then `given`, then what happens, then what it expects)
E106 [then] a test has no line `then` (there are `start`, `given`, `at`, `until`, `expect`)
E101 [5] expected a duration, found the number `5` (a duration has a unit: `5s` or `5m`)
E101 [alert] expected `alerts` after the number, found `alert` (write `alerts`)
E101 [}] expected `alert`, `no alert` or a number and `alerts`, found `}`"##,
    );
}

#[test]
fn tests_have_an_order() {
    check(
        r##"test a "b" { at 0s {} given {} given {} expect no alert at 1s {} }"##,
        r##"E101 [given] `given` stands too late (a test says `start`, then `given`, then what happens, then what it expects)
E101 [given] `given` stands too late (a test says `start`, then `given`, then what happens, then what it expects)
E101 [at] what happens stands too late (a test says `start`, then `given`, then what happens, then what it expects)"##,
    );
}

#[test]
fn tests_expect() {
    check(
        r##"test a "b" { at 0s {} }"##,
        r##"E101 [a] this test expects nothing (end it with `expect alert` or `expect no alert`)"##,
    );
}

#[test]
fn tunes() {
    check(
        r##"tune a { severity hgh colour red within 5 }
tune list b { ad ["x"] del ["y"] add 5 }"##,
        r##"E111 [hgh] there is no severity `hgh` (did you mean `high`?)
E106 [colour] a tune has no change `colour` (there are `except`, `severity`, `within`, `when`, `throttle`, `disable`, `enable`)
E101 [5] expected a duration, found the number `5` (a duration has a unit: `5s` or `5m`)
E106 [ad] the tune of a list has no change `ad` (there are `add`, `remove`)
E101 [5] expected `[` and values, found `5`"##,
    );
}

#[test]
fn characters_that_are_none() {
    check(
        "let\u{a0}a = 1\u{200b}\nlet b = \u{fffd}\n",
        "E109 [\u{a0}] a character that cannot be seen, U+00A0 (write a plain space, or nothing)
E109 [\u{200b}] a character that cannot be seen, U+200B (write a plain space, or nothing)
E101 [\u{fffd}] expected a condition or a value, found `\u{fffd}`",
    );
}

#[test]
fn json_escapes() {
    check(
        r##"test a "b" { at 0s { x: "\u003c\/a" } expect no alert }"##,
        r##"E104 [\u] `\u` is no escape (write the character's number in hexadecimal, as in `\u{2026}`)
E104 [\/] `\/` is no escape (`/` needs no backslash)"##,
    );
}
