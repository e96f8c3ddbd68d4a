//! Mistakes in conditions: each with its code, the underlined text, the sentence and the help.

use super::in_condition;

/// Verbs and resources, a condition, what is said of it.
type Case = (&'static str, &'static str, &'static [&'static str]);

#[track_caller]
fn check(cases: &[Case]) {
    for (on, condition, told) in cases {
        assert_eq!(in_condition(on, condition), *told, "on {on} where {condition}");
    }
}

const NAMES_THAT_STAND_FOR_NOTHING: &[Case] = &[
    (
        "get of secrets",
        r#"usr.username == "a""#,
        &[r#"E201 [usr] an event has no field `usr` -- did you mean `user`?"#],
    ),
    (
        "get of secrets",
        r#"user.usernmae == "a""#,
        &[r#"E201 [usernmae] `user` has no field `usernmae` -- did you mean `username`?"#],
    ),
    (
        "get of secrets",
        r#"username == "a""#,
        &[r#"E202 [username] `username` stands for nothing -- say `user.username`"#],
    ),
    (
        "get of secrets",
        r#"client.progam == "a""#,
        &[r#"E201 [client.progam] an event has no field `client.progam` -- did you mean `client.program`?"#],
    ),
    (
        "get of secrets",
        r#"client == "a""#,
        &[r#"E201 [client] an event has no field `client` -- there is `client.program`, `client.version`"#],
    ),
    (
        "get of secrets",
        r#"succeded"#,
        &[r#"E202 [succeded] `succeded` stands for nothing -- a text stands in quotes: `"succeded"`"#],
    ),
    (
        "get of secrets",
        r#"foo"#,
        &[r#"E202 [foo] `foo` stands for nothing -- a text stands in quotes: `"foo"`"#],
    ),
    ("get of secrets", r#"present(fooo.bar)"#, &[r#"E201 [fooo] an event has no field `fooo`"#]),
    (
        "get of secrets",
        r#"lenn(user.groups) > 1"#,
        &[r#"E203 [lenn] no function is called `lenn` -- did you mean `len`?"#],
    ),
    ("get of secrets", r#"len > 1"#, &[r#"E202 [len] `len` is a function -- write `len(..)`"#]),
    (
        "create of clusterrolebindings",
        r#"requestObject.roleRef.nmae == "x""#,
        &[
            r#"E207 [nmae] `requestObject.roleRef` has no field `nmae` in the bodies of clusterrolebindings -- did you mean `name`?"#,
        ],
    ),
    (
        "create of clusterrolebindings, pods",
        r#"desired.roleref.name == "x""#,
        &[
            r#"E207 [roleref] `desired` has no field `roleref` in the bodies of clusterrolebindings, pods -- did you mean `roleRef`?"#,
        ],
    ),
    (
        "get of secrets",
        r#"pod_spec.hostPID == true"#,
        &[
            r#"E207 [pod_spec] `pod_spec` is of what makes pods, which `on` does not name -- say `of workloads`"#,
        ],
    ),
    (
        "get of secrets",
        r#"csr_common_name == "x""#,
        &[
            r#"E207 [csr_common_name] `csr_common_name` is of `certificatesigningrequests`, which `on` does not name -- say `of certificatesigningrequests`"#,
        ],
    ),
    (
        "list of secrets",
        r#"responseObject.data["x"] == "y""#,
        &[r#"E207 [data] `responseObject` has no field `data` in the bodies of secrets"#],
    ),
    (
        "patch of deployments",
        r#"requestObject.foo == "x""#,
        &[
            r#"E207 [foo] `requestObject` has no field `foo` in the bodies of deployments -- it has `apiVersion`, `kind`, `metadata`, `spec`, `status`"#,
        ],
    ),
    (
        "patch of deployments",
        r#"any p in requestObject: (p.oops == "x")"#,
        &[r#"E201 [oops] `p` has no field `oops` -- it has `from`, `op`, `path`, `value`"#],
    ),
    (
        "get of secrets",
        r#"any user in user.groups: (user == "x")"#,
        &[
            r#"E209 [user] `user` is a field of every event and cannot name an element -- choose another name"#,
        ],
    ),
    (
        "get of secrets",
        r#"any len in user.groups: (len == "x")"#,
        &[r#"E209 [len] `len` is a function and cannot name an element -- choose another name"#],
    ),
    (
        "get of secrets",
        r#"any g in user.groups: (any g in user.groups: (g == "x"))"#,
        &[r#"E208 [g] `g` already has a meaning here -- choose another name"#],
    ),
    (
        "get of secrets",
        r#"any g in user.groups: (g == "x") and g == "y""#,
        &[r#"E211 [g] `g` does not hold here -- the name of an element holds in the parentheses behind it"#],
    ),
    (
        "get of secrets",
        r#"user.username in [no_such]"#,
        &[r#"E202 [no_such] no list is called `no_such` -- a text stands in quotes: `"no_such"`"#],
    ),
    (
        "get of secrets",
        r#"user.username in platform_user"#,
        &[
            r#"E202 [platform_user] `platform_user` stands for nothing -- a text stands in quotes: `"platform_user"`"#,
        ],
    ),
    (
        "get of secrets",
        r#"present(alert.rule)"#,
        &[r#"E211 [alert] `alert.rule` holds in rules and steps `on alert of ..` only"#],
    ),
];

#[test]
fn names_that_stand_for_nothing() {
    check(NAMES_THAT_STAND_FOR_NOTHING);
}

const TYPES_DO_NOT_MIX: &[Case] = &[
    (
        "get of secrets",
        r#"responseStatus.code == "200""#,
        &[
            r#"E301 [responseStatus.code == "200"] `responseStatus.code` is a number and `"200"` is text, so they are never equal -- write `200` without quotes"#,
        ],
    ),
    (
        "get of secrets",
        r#"responseStatus.code in ["200", 201]"#,
        &[
            r#"E301 ["200"] `responseStatus.code` is a number and `"200"` is text, so they are never equal -- write `200` without quotes"#,
        ],
    ),
    (
        "get of secrets",
        r#"user.username == 5"#,
        &[
            r#"E301 [user.username == 5] `user.username` is text and `5` is a number, so they are never equal -- write `"5"`"#,
        ],
    ),
    (
        "get of secrets",
        r#"user.username"#,
        &[
            r#"E302 [user.username] `user.username` is text and no condition -- compare it with something, or say `present(..)`"#,
        ],
    ),
    (
        "get of secrets",
        r#"user"#,
        &[r#"E302 [user] `user` is an object and no condition -- say `present(user)`"#],
    ),
    (
        "get of secrets",
        r#""x""#,
        &[r#"E302 ["x"] `"x"` is text and no condition -- compare it with something, or say `present(..)`"#],
    ),
    (
        "get of secrets",
        r#"user.username < "b""#,
        &[
            r#"E303 [user.username] `user.username` is text, which has no order -- order is for numbers, times and durations"#,
        ],
    ),
    (
        "get of secrets",
        r#"responseStatus.code < 3m"#,
        &[
            r#"E301 [<] `responseStatus.code` is a number and `3m` is a duration, so neither is `<` than the other"#,
        ],
    ),
    (
        "get of secrets",
        r#"stageTimestamp > "2026-01-01T00:00:00Z""#,
        &[
            r#"E303 ["2026-01-01T00:00:00Z"] `"2026-01-01T00:00:00Z"` is text, which has no order -- write `time("2026-01-01T00:00:00Z")`"#,
        ],
    ),
    (
        "get of secrets",
        r#"user.groups contains "x""#,
        &[
            r#"E304 [user.groups] `contains` is for text, and `user.groups` is a list -- say `"x" in user.groups`"#,
        ],
    ),
    (
        "get of secrets",
        r#"user.groups startswith "x""#,
        &[
            r#"E304 [user.groups] `startswith` is for text, and `user.groups` is a list -- `user.groups[]` is each element of it"#,
        ],
    ),
    (
        "get of secrets",
        r#"responseStatus.code contains "2""#,
        &[
            r#"E304 [responseStatus.code] `contains` is for text, and `responseStatus.code` is a number -- compare it with `==`"#,
        ],
    ),
    (
        "get of secrets",
        r#""x" in user.username"#,
        &[
            r#"E305 [user.username] `in` is for lists, and `user.username` is text -- say `user.username contains "x"` for a part of a text, `"x" == user.username` for the whole"#,
        ],
    ),
    (
        "get of secrets",
        r#""x" in annotations"#,
        &[
            r#"E305 [annotations] `in` is for lists, and `annotations` is a map -- its keys are a list: `"x" in keys(annotations)`"#,
        ],
    ),
    (
        "get of secrets",
        r#"5 in user.groups"#,
        &[r#"E301 [5] `5` is a number and the elements of `user.groups` are text, so it is never in it"#],
    ),
    (
        "get of secrets",
        r#"user.groups == "x""#,
        &[
            r#"E301 [user.groups == "x"] `user.groups` is a list and `"x"` is text, so they are never equal -- say `"x" in user.groups`"#,
        ],
    ),
    (
        "get of secrets",
        r#"user.groups[] != "x""#,
        &[
            r#"E306 [!=] `!=` of each element reads two ways: no element, or not every element -- write `not user.groups[] == "x"` if no element may"#,
        ],
    ),
    (
        "get of secrets",
        r#"user.groups[] not in ["x"]"#,
        &[
            r#"E306 [not in] `not in` of each element reads two ways: no element, or not every element -- write `not user.groups[] in ..` if no element may"#,
        ],
    ),
    (
        "get of secrets",
        r#"user.groups[] not like "x""#,
        &[
            r#"E306 [not like] `not like` of each element reads two ways: no element, or not every element -- write `not user.groups[] like "x"` if no element may"#,
        ],
    ),
    (
        "get of secrets",
        r#"any g in user.username: (g == "x")"#,
        &[r#"E307 [user.username] `user.username` is text and no list, so `any` cannot go over it"#],
    ),
    (
        "get of secrets",
        r#"any g in annotations: (g == "x")"#,
        &[
            r#"E307 [annotations] `annotations` is a map and no list, so `any` cannot go over it -- its keys are a list: `keys(annotations)`"#,
        ],
    ),
    (
        "get of secrets",
        r#"user.groups.name == "x""#,
        &[
            r#"E308 [name] `user.groups` is a list and has no field `name` -- `user.groups[].name` is that of each element; or say `any x in user.groups: (..)`"#,
        ],
    ),
    (
        "get of secrets",
        r#"user.username.name == "x""#,
        &[r#"E308 [name] `user.username` is text and has no field `name`"#],
    ),
    ("get of secrets", r#"user.username[0] == "x""#, &[r#"E307 [[0]] `user.username` is text and no list"#]),
    ("get of secrets", r#"user.username[] == "x""#, &[r#"E307 [[]] `user.username` is text and no list"#]),
    (
        "get of secrets",
        r#"sourceIPs in cidr("10.0.0.0/8")"#,
        &[
            r#"E301 [sourceIPs] `sourceIPs` is a list, and only a text may be an address in a network -- say `sourceIPs[]` for each of them"#,
        ],
    ),
    (
        "get of secrets",
        r#"stageTimestamp in 22:00..06:00"#,
        &[
            r#"E301 [stageTimestamp] `stageTimestamp` is a time, and only a time of day is between two clocks -- say `time_of_day(stageTimestamp, "UTC")`"#,
        ],
    ),
    (
        "get of secrets",
        r#"responseStatus.code == 5 ignoring case"#,
        &[
            r#"E304 [responseStatus.code == 5 ignoring case] `ignoring case` is for text, and `responseStatus.code` is a number"#,
        ],
    ),
    (
        "get of secrets",
        r#"user.extra["a"].b == "x""#,
        &[
            r#"E308 [b] `user.extra.a` is a list and has no field `b` -- `user.extra.a[].b` is that of each element; or say `any x in user.extra.a: (..)`"#,
        ],
    ),
    (
        "get of secrets",
        r#"user.groups["a"] == "x""#,
        &[
            r#"E308 [["a"]] `user.groups` is a list and has no field `a` -- `user.groups[].a` is that of each element; or say `any x in user.groups: (..)`"#,
        ],
    ),
    (
        "get of secrets",
        r#"not user.username"#,
        &[
            r#"E302 [user.username] `user.username` is text and no condition -- compare it with something, or say `present(..)`"#,
        ],
    ),
    (
        "get of secrets",
        r#"user.username like 5"#,
        &[r#"E304 [5] `like` is for text, and `5` is a number -- compare it with `==`"#],
    ),
    (
        "get of secrets",
        r#"responseObject.status.foo == "x""#,
        &[r#"E308 [foo] `responseObject.status` is text and has no field `foo`"#],
    ),
];

#[test]
fn types_do_not_mix() {
    check(TYPES_DO_NOT_MIX);
}

const VALUES_THAT_CANNOT_BE: &[Case] = &[
    (
        "get of secrets",
        r#"verb == "gets""#,
        &[r#"E309 ["gets"] `verb` is never `"gets"` -- did you mean `"get"`?"#],
    ),
    (
        "get of secrets",
        r#"verb in ["get", "impersonate"]"#,
        &[
            r#"E309 ["impersonate"] `verb` is never `"impersonate"` -- it is one of get, list, watch, create, update, patch, delete, deletecollection, proxy, post, put, head, options, connect, trace"#,
        ],
    ),
    (
        "get of secrets",
        r#"decision == "allowed""#,
        &[r#"E309 ["allowed"] `decision` is never `"allowed"` -- did you mean `"allow"`?"#],
    ),
    (
        "get of secrets",
        r#"level == "Body""#,
        &[r#"E309 ["Body"] `level` is never `"Body"` -- it is one of Metadata, Request, RequestResponse"#],
    ),
    (
        "get of secrets",
        r#"objectRef.namespace == """#,
        &[
            r#"E309 [""] `objectRef.namespace` is never `""`: the server leaves it out when it is empty -- write `not present(objectRef.namespace)`"#,
        ],
    ),
    (
        "get of secrets",
        r#"objectRef.namespace in ["", "a"]"#,
        &[
            r#"E309 [""] `objectRef.namespace` is never `""`: the server leaves it out when it is empty -- write `not present(objectRef.namespace)`"#,
        ],
    ),
    (
        "get of secrets",
        r#""" != user.username"#,
        &[
            r#"E309 [""] `user.username` is never `""`: the server leaves it out when it is empty -- write `not present(user.username)`"#,
        ],
    ),
    (
        "get of secrets",
        r#"user.username matches "(""#,
        &[r#"E310 ["("] this is no regular expression: unclosed group"#],
    ),
    (
        "get of secrets",
        r#"user.username matches user.uid"#,
        &[
            r#"E317 [user.uid] a regular expression is written down, and `user.uid` is not -- for a part of a text say `contains`"#,
        ],
    ),
    (
        "get of secrets",
        r#"source_ip in cidr("10.0.0.0/33")"#,
        &[r#"E311 ["10.0.0.0/33"] `10.0.0.0/33` is no network -- a network of this kind has 0 to 32 bits"#],
    ),
    (
        "get of secrets",
        r#"source_ip in cidr("10.0.0.1")"#,
        &[r#"E311 ["10.0.0.1"] `10.0.0.1` is no network -- write `10.0.0.1/32` for this one address"#],
    ),
    (
        "get of secrets",
        r#"weekday(stageTimestamp, "Asia/Shangai") == "mon""#,
        &[
            r#"E312 ["Asia/Shangai"] no time zone is called `Asia/Shangai` -- did you mean `"Asia/Shanghai"`?"#,
        ],
    ),
    (
        "get of secrets",
        r#"weekday(stageTimestamp, user.username) == "mon""#,
        &[
            r#"E317 [user.username] a time zone is written down, and `user.username` is not -- such as `"Europe/Berlin"`"#,
        ],
    ),
    (
        "get of secrets",
        r#"weekday(stageTimestamp, "UTC") == "monday""#,
        &[
            r#"E309 ["monday"] `weekday(stageTimestamp, "UTC")` is never `"monday"` -- it is one of mon, tue, wed, thu, fri, sat, sun"#,
        ],
    ),
    (
        "get of secrets",
        r#"time_of_day(stageTimestamp, "UTC") in 22:00..24:00"#,
        &[r#"E313 [24:00] `24:00` is no time of day -- it goes from `00:00` to `23:59`, two digits each"#],
    ),
    (
        "get of secrets",
        r#"split(user.username) == "x""#,
        &[r#"E314 [split(user.username)] `split` takes 2 arguments, not 1"#],
    ),
    (
        "get of secrets",
        r#"lower(user.groups) == "x""#,
        &[
            r#"E315 [user.groups] `lower` takes text, and `user.groups` is a list -- say `lower(user.groups[])` for each element"#,
        ],
    ),
    ("get of secrets", r#"lower(5) == "x""#, &[r#"E315 [5] `lower` takes text, and `5` is a number"#]),
    (
        "get of secrets",
        r#"keys(user.groups)[0] == "x""#,
        &[r#"E315 [user.groups] `keys` takes a map, and `user.groups` is a list"#],
    ),
    (
        "get of secrets",
        r#"quantity("64Gx") > 1"#,
        &[r#"E309 [quantity("64Gx")] `quantity("64Gx")` has no value"#],
    ),
    (
        "get of secrets",
        r#"user.username + 1 == "x""#,
        &[r#"E316 [user.username + 1] `user.username` is text and `1` is a number, which `+` does not join"#],
    ),
    (
        "get of secrets",
        r#"5s + stageTimestamp > stageTimestamp"#,
        &[
            r#"E316 [5s + stageTimestamp] `5s` is a duration and `stageTimestamp` is a time, which `+` does not join -- write `stageTimestamp + 5s`"#,
        ],
    ),
    ("get of secrets", r#"1 / 0 == 1"#, &[r#"E316 [1 / 0] `1 / 0` has no value"#]),
    (
        "get of secrets",
        r#"user.groups[-1] == "x""#,
        &[r#"E309 [-1] `-1` is no place in a list -- places count from 0"#],
    ),
    (
        "get of secrets",
        r#"user.groups[user.groups] == "x""#,
        &[
            r#"E315 [user.groups] `user.groups` is a list, which is no key and no place -- a key is text, a place in a list a number"#,
        ],
    ),
    (
        "get of secrets",
        r#"time("yesterday") < stageTimestamp"#,
        &[r#"E309 [time("yesterday")] `time("yesterday")` has no value"#],
    ),
    (
        "get of secrets",
        r#"time_of_day("yesterday", "UTC") in 01:00..02:00"#,
        &[r#"E309 ["yesterday"] `yesterday` is no time -- write it as `2026-01-05T08:00:00Z`"#],
    ),
    (
        "get of secrets",
        r#"len(user.groups where verb == "get") > 1"#,
        &[r#"E314 [verb == "get"] `len` takes no `where`; aggregates do"#],
    ),
];

#[test]
fn values_that_cannot_be() {
    check(VALUES_THAT_CANNOT_BE);
}

const AGGREGATES_HAVE_THEIR_PLACE: &[Case] = &[
    (
        "get of secrets",
        r#"count() > 3"#,
        &[r#"E405 [count] an aggregate stands in `when` and in the alert of a rule with `when`"#],
    ),
    (
        "get of secrets",
        r#"distinct(user.username) > 3"#,
        &[r#"E405 [distinct] an aggregate stands in `when` and in the alert of a rule with `when`"#],
    ),
    (
        "get of secrets",
        r#"percentile(responseStatus.code, 9) > 3"#,
        &[r#"E405 [percentile] an aggregate stands in `when` and in the alert of a rule with `when`"#],
    ),
];

#[test]
fn aggregates_have_their_place() {
    check(AGGREGATES_HAVE_THEIR_PLACE);
}

const OTHER_CONDITIONS: &[Case] = &[
    (
        "get of secrets",
        r#"any rule in user.groups: (rule == "x")"#,
        &[r#"E114 [rule] `rule` is a word of the language and cannot be the name of an element"#],
    ),
    ("get of secrets", r#"parse_json(user.username).a.b[0] == 5"#, &[]),
];

#[test]
fn other_conditions() {
    check(OTHER_CONDITIONS);
}

const DIRECTIVES_OF_A_PATCH: &[Case] = &[
    ("patch of deployments", r#"requestObject["$patch"] == "delete""#, &[]),
    ("patch of deployments", r#"requestObject.spec["$patch"] == "replace""#, &[]),
    ("patch of deployments, statefulsets", r#"requestObject.spec.template["$retainKeys"][] == "spec""#, &[]),
    (
        "create, patch of deployments",
        r#"present(requestObject.spec.template.spec["$setElementOrder/containers"])"#,
        &[],
    ),
    (
        "patch of deployments",
        r#"any c in requestObject.spec.template.spec.containers: (c["$patch"] == "delete" and c.name == "a")"#,
        &[],
    ),
    ("patch of deployments", r#""x" in requestObject.metadata["$deleteFromPrimitiveList/finalizers"]"#, &[]),
    ("patch of deployments", r#"requestObject.metadata.labels["$patch"] == 1"#, &[]),
    // Of no other body, of no scalar, of no operation; and a patch has no other field more by it.
    (
        "create of deployments",
        r#"requestObject.spec["$patch"] == "replace""#,
        &[
            r#"E207 [["$patch"]] `requestObject.spec` has no field `$patch` in the bodies of deployments -- it has `minReadySeconds`, `paused`, `progressDeadlineSeconds`, `replicas`, `revisionHistoryLimit`, `selector`, `strategy`, `template`"#,
        ],
    ),
    (
        "patch of deployments",
        r#"desired.spec["$patch"] == "replace""#,
        &[
            r#"E207 [["$patch"]] `desired.spec` has no field `$patch` in the bodies of deployments -- it has `minReadySeconds`, `paused`, `progressDeadlineSeconds`, `replicas`, `revisionHistoryLimit`, `selector`, `strategy`, `template`"#,
        ],
    ),
];

#[test]
fn directives_stand_in_patches_alone() {
    check(DIRECTIVES_OF_A_PATCH);
    for (condition, code) in [
        (r#"requestObject.spec.replicas["$patch"] == "replace""#, "E308"),
        (r#"requestObject[]["$patch"] == "replace""#, "E207"),
        (r#"requestObject.spec["patch"] == "replace""#, "E207"),
    ] {
        let told = in_condition("patch of deployments", condition);
        assert!(matches!(told.as_slice(), [one] if one.starts_with(code)), "{condition}: {told:?}");
    }
}
