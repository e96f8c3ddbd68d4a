//! Mistakes of rules, names and tests: each with its code, the underlined text, the sentence and the help.

use super::told;

/// A file, and what is said of it.
type Case = (&'static str, &'static [&'static str]);

#[track_caller]
fn check(cases: &[Case]) {
    for (text, expected) in cases {
        assert_eq!(told(text), *expected, "{text}");
    }
}

const EVERY_RULE_HAS_WHAT_IT_NEEDS: &[Case] = &[
    (
        r#"rule a "A" { }"#,
        &[
            r#"E401 [a] the rule `a` has no `severity` -- add one, such as `severity medium`"#,
            r#"E401 [a] the rule `a` has no `alert` -- add one, such as `alert "{user.username} did it"`"#,
            r#"E401 [a] the rule `a` has no `on` -- say which requests it is about, such as `on get of secrets`"#,
        ],
    ),
    (
        r#"rule a "A" { severity low severity high on get of secrets alert "x" alert "y" where dry_run where dry_run }"#,
        &[
            r#"E402 [severity] `severity` stands twice in this rule"#,
            r#"E402 [alert] `alert` stands twice in this rule"#,
            r#"E402 [where] `where` stands twice in this rule"#,
        ],
    ),
    (
        r#"rule a "A" { severity low on get of secrets alert "  " }"#,
        &[
            r#"E403 ["  "] an alert has a text -- say who did what: `alert "{user.username} read {objectRef.name}"`"#,
        ],
    ),
    (
        r#"rule a "A" { severity low alert "x" on get of secrets sequence within 5m { a: on get of pods } }"#,
        &[r#"E404 [sequence] a rule has an `on` or steps, not both"#],
    ),
    (
        r#"rule a "A" { severity low alert "x" when count() > 3 within 5m sequence within 5m { b: on get of pods } }"#,
        &[r#"E404 [when] `when` counts what one `on` matches, and steps have none"#],
    ),
];

#[test]
fn every_rule_has_what_it_needs() {
    check(EVERY_RULE_HAS_WHAT_IT_NEEDS);
}

const VERBS_AND_RESOURCES_ARE_KNOWN: &[Case] = &[
    (
        r#"rule a "A" { severity low on get, gett, impersonate, bind, evict, "evict" of pods alert "x" }"#,
        &[
            r#"E204 [gett] no event has the verb `gett` -- did you mean `get`?"#,
            r#"E204 [impersonate] no event has the verb `impersonate` -- it is a verb of RBAC; who is acted as stands in `impersonatedUser`"#,
            r#"E204 [bind] no event has the verb `bind` -- it is a verb of RBAC, which the API server asks about and never writes"#,
            r#"E204 [evict] no event has the verb `evict` -- if there are events with it, write `"evict"`"#,
        ],
    ),
    (
        r#"rule a "A" { severity low on get of po, secret, podz, foo, secrets/foo, pods/exce, pods.apps, deploymnts.apps, */foo, nonresource "api" alert "x" }"#,
        &[
            r#"E205 [po] Kubernetes has no resource `po` -- write `pods`: resources are written as events have them"#,
            r#"E205 [secret] Kubernetes has no resource `secret` -- write `secrets`: resources are written as events have them"#,
            r#"E205 [podz] Kubernetes has no resource `podz` -- did you mean `pods`?"#,
            r#"E205 [foo] Kubernetes has no resource `foo` -- a custom resource is written with its group: `foo.example.com`"#,
            r#"E205 [secrets/foo] `secrets` have no subresource `foo` -- they have none; say `secrets`"#,
            r#"E205 [pods/exce] `pods` have no subresource `exce` -- did you mean `pods/exec`?"#,
            r#"E205 [pods.apps] the group `apps` has no resource `pods`"#,
            r#"E205 [deploymnts.apps] the group `apps` has no resource `deploymnts` -- did you mean `deployments.apps`?"#,
            r#"E205 [*/foo] no resource has a subresource `foo` -- there is approval, attach, binding, driver, ephemeralcontainers, eviction, exec, finalize, log, portforward, proxy, resize, rollback, scale, status, token"#,
            r#"E309 ["api"] no path is `api`: a path begins with `/` -- write `"/api"`"#,
        ],
    ),
    (
        r#"rule a "A" { severity low on any but reed of any but podz alert "x" }"#,
        &[
            r#"E204 [reed] no event has the verb `reed` -- did you mean `read`?"#,
            r#"E205 [podz] Kubernetes has no resource `podz` -- did you mean `pods`?"#,
        ],
    ),
    (
        r#"rule a "A" { severity low on any of issuers.cert-manager.io, *.cert-manager.io, */scale, pods/*, events.events.k8s.io, workloads, nonresource "/api*" alert "x" }"#,
        &[],
    ),
];

#[test]
fn verbs_and_resources_are_known() {
    check(VERBS_AND_RESOURCES_ARE_KNOWN);
}

const KEYS_ARE_SINGLE_VALUES: &[Case] = &[
    (
        r#"rule a "A" { severity low on get of secrets by user.groups, user.groups[], user, x = verb, x = level, verb, verb alert "{x}" }"#,
        &[
            r#"E407 [user.groups] a key has single values, and `user.groups` is a list -- `user.groups[]` is each element, `len(user.groups)` how many there are"#,
            r#"E407 [user.groups[]] a key has single values, and `user.groups[]` is each element of a list"#,
            r#"E407 [user] a key has single values, and `user` is an object"#,
            r#"E208 [x] `x` is twice in the key"#,
            r#"E208 [verb] `verb` is twice in the key"#,
        ],
    ),
    (
        r#"rule a "A" { severity low on get of secrets by verb = user.username, count = level, all = verb, actor = count() alert "{actor}" }"#,
        &[
            r#"E114 [all] `all` is a word of the language and cannot be the name of a key"#,
            r#"E202 [actor] `actor` stands for nothing -- a text stands in quotes: `"actor"`"#,
        ],
    ),
];

#[test]
fn keys_are_single_values() {
    check(KEYS_ARE_SINGLE_VALUES);
}

const WINDOWS_HAVE_A_LENGTH_AND_COUNT: &[Case] = &[
    (
        r#"rule a "A" { severity low on get of secrets when count() > 3 within 0s alert "x" }"#,
        &[r#"E408 [0s] this window has no length -- write a time such as `5m`"#],
    ),
    (
        r#"rule a "A" { severity low on get of secrets when count() > 3 within 367d alert "x" }"#,
        &[r#"E409 [367d] this window is longer than 366 days"#],
    ),
    (
        r#"rule a "A" { severity low on get of secrets when user.username == "a" and succeeded within 5m alert "x" } let succeeded = responseStatus.code < 300"#,
        &[
            r#"E406 [user.username] `user.username` is a field of one event, and `when` is about many -- count its values, as in `distinct(user.username)`, or test it in `where`"#,
            r#"E406 [succeeded] `responseStatus.code` is a field of one event, and `when` is about many -- count its values, as in `distinct(responseStatus.code)`, or test it in `where`"#,
        ],
    ),
    (
        r#"rule a "A" { severity low on get of secrets when count(where countt() > 1) > distinct(count()) within 1m alert "{count()} {distinct(user.groups)}" }"#,
        &[
            r#"E203 [countt] no function is called `countt` -- did you mean `count`?"#,
            r#"E405 [count] an aggregate cannot stand in an aggregate"#,
            r#"E407 [user.groups] `distinct` counts single values, and `user.groups` is a list -- `user.groups[]` is each element, `len(user.groups)` how many there are"#,
        ],
    ),
    (
        r#"rule a "A" { severity low on get of secrets when count(verb) > 1 and distinct() > 2 within 1m alert "x" }"#,
        &[
            r#"E314 [count(verb)] `count` takes nothing, not 1"#,
            r#"E314 [distinct()] `distinct` takes one value or more, not 0"#,
        ],
    ),
    (
        r#"rule a "A" { severity low sequence within 0s { a: on get of pods b: on get of secrets where verb == a.verb } alert "x" }"#,
        &[r#"E408 [0s] this sequence has no length -- write a time such as `5m`"#],
    ),
];

#[test]
fn windows_have_a_length_and_count() {
    check(WINDOWS_HAVE_A_LENGTH_AND_COUNT);
}

const ALERTS_READ_WHAT_IS_THERE: &[Case] = &[
    (
        r#"rule a "A" { severity low on get of secrets alert "{count()} {oops} {user.usernmae}" }"#,
        &[
            r#"E405 [count] an aggregate needs a `when` to be counted in"#,
            r#"E202 [oops] `oops` stands for nothing -- a text stands in quotes: `"oops"`"#,
            r#"E201 [usernmae] `user` has no field `usernmae` -- did you mean `username`?"#,
        ],
    ),
    (
        r#"rule r "A" { severity low on get of secrets where any c in user.groups: (c == "x") and any c in sourceIPs: (c == "y") alert "{c}" }"#,
        &[r#"E208 [c] `c` may be the element of either of two `any`s -- give the elements different names"#],
    ),
    (
        r#"rule r "A" { severity low on get of secrets where not any c in user.groups: (c == "x") alert "{c}" }"#,
        &[
            r#"E211 [c] `c` does not hold here -- only an `any` of the last `where`, under no `not`, `or`, `any` or `all`, lends its name to the alert"#,
        ],
    ),
    (
        r#"rule r "A" { severity low on get of secrets where any c in user.groups: (c == "x") alert "{c} {c[0]}" }"#,
        &[r#"E307 [[0]] `c` is text and no list"#],
    ),
];

#[test]
fn alerts_read_what_is_there() {
    check(ALERTS_READ_WHAT_IS_THERE);
}

const NAMES_ARE_ONE_SPACE: &[Case] = &[
    (
        r#"let a = b let b = c let c = a or d let d = d rule r "A" { severity low on get of secrets where a alert "x" }"#,
        &[r#"E210 [a] `a` is made of itself through `b`, `c`"#, r#"E210 [d] `d` is made of itself"#],
    ),
    (
        r#"let a = dry_run list a = ["x"] rule a "A" { severity low on get of secrets where a alert "x" }"#,
        &[r#"E208 [a] the name `a` is given twice"#, r#"E208 [a] the name `a` is given twice"#],
    ),
    (
        r#"let verb = dry_run list len = ["x"] list l = ["a", l2] list l2 = [l] rule r "A" { severity low on get of secrets where verb == "get" alert "x" }"#,
        &[
            r#"E209 [verb] `verb` is a field of every event and cannot name a `let` -- choose another name"#,
            r#"E209 [len] `len` is a function and cannot name a `list` -- choose another name"#,
            r#"E210 [l] the list `l` is made of itself"#,
        ],
    ),
    (
        r#"let n = count() > 3 rule r "A" { severity low on get of secrets where n alert "x" }"#,
        &[r#"E405 [count] an aggregate cannot stand in a `let`"#],
    ),
    (
        r#"let x = desired.roleRef.name == "a" rule r "A" { severity low on create of deployments where x alert "x" }"#,
        &[
            r#"E207 [roleRef] `desired` has no field `roleRef` in the bodies of deployments -- it has `apiVersion`, `kind`, `metadata`, `spec`, `status`"#,
        ],
    ),
    (
        r#"rule r "A" { severity low on get of secrets where not platform alert "x" } let platfrom = dry_run"#,
        &[r#"E202 [platform] `platform` stands for nothing -- did you mean `platfrom`?"#],
    ),
    (
        r#"list l = ["a", m, n] list m = ["b"] rule r "A" { severity low on get of secrets where user.username in [l, "x", k] alert "x" }"#,
        &[
            r#"E202 [n] no list is called `n` -- a text stands in quotes: `"n"`"#,
            r#"E202 [k] no list is called `k` -- a text stands in quotes: `"k"`"#,
        ],
    ),
    (
        r#"let x = user.username rule r "A" { severity low on get of secrets where x alert "{x.y}" }"#,
        &[
            r#"E302 [x] `x` is text and no condition -- compare it with something, or say `present(..)`"#,
            r#"E308 [y] `user.username` is text and has no field `y`"#,
        ],
    ),
];

#[test]
fn names_are_one_space() {
    check(NAMES_ARE_ONE_SPACE);
}

const STEPS_READ_STEPS_ABOVE: &[Case] = &[
    (
        r#"rule r "A" { severity low sequence within 5m { a: on get of pods where b.verb == "get" and a.verb == "get" b: on get of secrets where a.vreb == "x" and a == "x" and a.succeeded a: on get of pods verb: on get of pods client: on get of pods } alert "{a.verb} {c.verb} {b.desired.data}" } let succeeded = responseStatus.code < 300"#,
        &[
            r#"E211 [b] `b` is a later step and cannot be read here -- a step can read the steps above it"#,
            r#"E211 [a] `a` is this step itself and cannot be read here -- a bare field is this step's own"#,
            r#"E201 [vreb] an event has no field `vreb` -- did you mean `a.verb`?"#,
            r#"E211 [a] `a` is a step and no value -- say which field: `a.user.username`"#,
            r#"E211 [succeeded] `succeeded` is a `let`, which speaks of the event it is used on -- say which field of `a` is meant"#,
            r#"E208 [a] two steps are called `a`"#,
            r#"E209 [verb] `verb` is a field of every event and cannot name a step -- choose another name"#,
            r#"E209 [client] `client` is the beginning of a field and cannot name a step -- choose another name"#,
            r#"E201 [c] an event has no field `c`"#,
        ],
    ),
    (
        r#"rule r "A" { severity low by who = user.username where a.verb == "get" sequence within 5m { a: on get of pods b: on get of secrets by who = a.user.username, x = verb } alert "{who} {x}" }"#,
        &[
            r#"E211 [a] `a` is a step and cannot be read here -- what the rule says of all steps cannot read one; say it in a step's own `where`"#,
            r#"E410 [a] the step `a` does not say what `x` is in its event -- add `by x = ..` to it, or to the rule for all steps"#,
            r#"E211 [a] a key cannot read the step `a` -- a key reads its own step's event alone"#,
        ],
    ),
    (
        r#"rule r "A" { severity low by a = user.username sequence within 5m { a: on get of pods b: on get of secrets } alert "x" }"#,
        &[r#"E208 [a] `a` is a step and a key -- choose another name"#],
    ),
    (
        r#"rule r "A" { severity low by user.username sequence within 5m { a: on create of pods b: on get of secrets } alert "{a.desired.spec.nodeNam} {b.desired.spec}" }"#,
        &[
            r#"E207 [nodeNam] `a.desired.spec` has no field `nodeNam` in the bodies of pods -- did you mean `nodeName`?"#,
            r#"E207 [spec] `b.desired` has no field `spec` in the bodies of secrets -- it has `apiVersion`, `data`, `immutable`, `kind`, `metadata`, `stringData`, `type`"#,
        ],
    ),
];

#[test]
fn steps_read_steps_above() {
    check(STEPS_READ_STEPS_ABOVE);
}

const NETWORKS_ARE_READ: &[Case] = &[
    (
        r#"rule r "A" { severity low on get of secrets where source_ip in office or source_ip in [office] alert "x {office}" } cidr list office = ["10.0.0.0/8", "x", 5, y]"#,
        &[
            r#"E311 ["x"] `x` is no network -- a network is an address, a slash and how many bits count: `10.0.0.0/8`"#,
            r#"E311 [5] a `cidr list` holds networks only -- write `"10.0.0.0/8"`"#,
            r#"E311 [y] a `cidr list` holds networks only -- write `"10.0.0.0/8"`"#,
        ],
    ),
    (
        r#"rule r "A" { severity low on get of secrets where source_ip in [office] or office == "x" or responseStatus.code in office alert "x" } cidr list office = ["10.0.0.0/8", "::1/128"]"#,
        &[
            r#"E301 [office] `office` holds networks, which are no values of a list -- say `in office`"#,
            r#"E211 [office] `office` holds networks and is no value -- say `.. in office`"#,
            r#"E301 [responseStatus.code] `responseStatus.code` is a number, and only a text may be an address in a network"#,
        ],
    ),
];

#[test]
fn networks_are_read() {
    check(NETWORKS_ARE_READ);
}

const TESTS_ARE_HELD_TO_THE_SCHEMA: &[Case] = &[
    (
        r#"test nope "x" { given { vreb: "get" } at 0s { user.usernmae: "x" } expect no alert }"#,
        &[
            r#"E206 [nope] no rule is called `nope`"#,
            r#"E501 [vreb] an event has no field `vreb` -- did you mean `verb`?"#,
            r#"E501 [usernmae] `user` has no field `usernmae` -- did you mean `username`?"#,
        ],
    ),
    (
        r#"rule r "A" { severity low on create of deployments alert "x" } test r "x" { start "yesterday" given { verb: "gett", responseStatus.code: "200", "user.username": "x", source_ip: "1.2.3.4", client.program: "x" } at 0s {} expect no alert expect alert }"#,
        &[
            r#"E503 ["yesterday"] `yesterday` is no time -- write it as `"2026-01-05T08:00:00+01:00"`"#,
            r#"E502 ["gett"] `verb` is never `"gett"` -- did you mean `"get"`?"#,
            r#"E502 ["200"] `responseStatus.code` is a number, not text"#,
            r#"E501 ["user.username"] an event has no field `user.username` -- in quotes it is one key; write it without them to go down: `user.username`"#,
            r#"E501 [source_ip] `source_ip` is computed from an event and is no field of it -- set `sourceIPs`"#,
            r#"E501 [client.program] `client.program` is computed from an event and is no field of it -- set `userAgent`"#,
            r#"E505 [expect no alert] a test that expects no alert expects nothing else"#,
        ],
    ),
    (
        r#"rule r "A" { severity low on create of deployments alert "x" } test r "x" { at 0s 1.5 times every 1s { stageTimestamp: "x" } at 0s 200000 times every 1s {} expect no alert }"#,
        &[
            r#"E503 [1.5] an event happens once or several times"#,
            r#"E502 ["x"] `stageTimestamp` is a time, and `x` is none -- write it as `"2026-01-05T08:00:00Z"`"#,
            r#"E504 [200000] this test makes more than 100000 events"#,
        ],
    ),
    (
        r#"rule r "A" { severity low on create of deployments alert "x" } test r "x" { given { verb: "create", objectRef.resource: "pods" } at 0s { requestObject.spec.containerz: [] } at 1s { requestObject: { spec: { containers: [{ nmae: "x" }], hostPID: "yes", tolerations: { a: 1 } } } } at 2s { verb: "patch", requestObject: [{ op: "add", pth: "/x" }] } at 3s { responseObject: { kind: "Status", code: "x" } } at 4s { objectRef.resource: "widgets", objectRef.apiGroup: "example.com", requestObject: { a: { b: 1 } } } expect no alert }"#,
        &[
            r#"E501 [containerz] `requestObject.spec` has no field `containerz` -- did you mean `containers`?"#,
            r#"E501 [nmae] `requestObject.spec.containers[]` has no field `nmae` -- did you mean `name`?"#,
            r#"E502 ["yes"] `requestObject.spec.hostPID` is true or false, not text"#,
            r#"E502 [{ a: 1 }] `requestObject.spec.tolerations` is a list, not a map"#,
            r#"E501 [pth] `requestObject[]` has no field `pth` -- did you mean `path`?"#,
            r#"E502 ["x"] `responseObject.code` is a number, not text"#,
        ],
    ),
    (
        r#"rule r "A" { severity low on create of deployments alert "x" } test r "x" { at 0s { sourceIPs[0]: "x", user: "x", level: null, count(): 3 } until 5m until 6m expect alert { "verb": "x", verb: 5, vreb: "x", count(): 3, user.groups: "x" } expect 1.5 alerts }"#,
        &[
            r#"E501 [[0]] a test sets no single elements -- write a list whole, as in `sourceIPs: ["10.0.0.1"]`"#,
            r#"E502 ["x"] `user` is an object, not text"#,
            r#"E501 [count()] a test sets fields by their names"#,
            r#"E402 [6m] a test ends once"#,
            r#"E505 ["verb"] what is expected is read as in an alert text, and a quoted text is only itself -- write `verb` without quotes"#,
            r#"E505 [5] `verb` is text, not a number"#,
            r#"E202 [vreb] `vreb` stands for nothing -- did you mean `verb`?"#,
            r#"E405 [count] an aggregate needs a `when` to be counted in"#,
            r#"E505 ["x"] `user.groups` is a list, not text"#,
            r#"E505 [1.5] alerts are counted in whole numbers"#,
        ],
    ),
    (
        r#"rule r "A" { severity low on create of deployments when count() > 3 within 5m alert "x" } test r "x" { at 1h { } until 5m expect alert { distinct(verb): 3, count(): "x", verb: "createe" } }"#,
        &[
            r#"E503 [5m] this is before the test's last event"#,
            r#"E505 [distinct(verb)] the rule does not count `distinct(verb)` -- only what stands in its `when` or `alert` can be expected"#,
            r#"E505 ["x"] `count()` is a number, not text"#,
            r#"E309 ["createe"] `verb` is never `"createe"` -- did you mean `"create"`?"#,
        ],
    ),
    (
        r#"rule r "A" { severity low on "evict" of deployments alert "x" } test r "x" { at 0s { verb: "evict" } expect no alert }"#,
        &[],
    ),
];

#[test]
fn tests_are_held_to_the_schema() {
    check(TESTS_ARE_HELD_TO_THE_SCHEMA);
}
