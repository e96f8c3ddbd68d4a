//! Items, clauses, steps and the lines of tests.

use super::Maker;

impl Maker<'_, '_> {
    pub(super) fn item(&mut self) {
        match self.choices.below(8) {
            0 => {
                self.token("let");
                self.name();
                self.token("=");
                self.condition();
            }
            1 => {
                self.maybe(|m| m.token("cidr"));
                self.token("list");
                self.name();
                self.source(Self::literals);
            }
            2 => {
                self.maybe(|m| m.token("cidr"));
                self.token("table");
                self.name();
                self.source(Self::map);
            }
            3 => self.tune(),
            4 => self.tune_list(),
            5 => self.test(),
            _ => self.rule(),
        }
    }

    fn source(&mut self, make: fn(&mut Self)) {
        if self.choices.once_in(3) {
            self.token("from");
            self.text();
        } else {
            self.token("=");
            make(self);
        }
    }

    fn rule(&mut self) {
        self.token("rule");
        self.name();
        self.text();
        self.token("{");
        for _ in 0..self.choices.below(9) {
            self.clause();
        }
        self.token("}");
    }

    fn clause(&mut self) {
        match self.choices.below(15) {
            0 => self.severity(),
            1 => {
                self.token("tags");
                self.commas(|m| {
                    let tag = m.choices.pick(&["a", "attack.T1552.007", "10.2_2", "pci_dss.x"]);
                    m.run_token(tag);
                });
            }
            2 => {
                self.token("about");
                self.text();
            }
            3 => {
                self.token("see");
                self.commas(Self::text);
            }
            4 => self.token("disable"),
            5 | 6 => self.on(),
            7 => self.labelled("where", Self::condition),
            8 => self.labelled("except", Self::condition),
            9 => self.by(),
            10 => self.tokens(&["across", "clusters"]),
            11 => self.when(),
            12 => self.steps(),
            13 => {
                self.token("alert");
                self.template();
            }
            _ => self.labelled("throttle", Self::duration),
        }
    }

    fn labelled(&mut self, word: &str, make: fn(&mut Self)) {
        self.token(word);
        make(self);
    }

    fn severity(&mut self) {
        let level = self.choices.pick(&["none", "info", "low", "medium", "high", "critical"]);
        self.tokens(&["severity", level]);
    }

    fn by(&mut self) {
        self.token("by");
        self.commas(|m| {
            m.maybe(|m| {
                m.name();
                m.token("=");
            });
            m.sum();
        });
    }

    fn on(&mut self) {
        self.token("on");
        match self.choices.below(8) {
            6 => self.token("undecodable"),
            7 => {
                self.tokens(&["alert", "of"]);
                if self.choices.once_in(2) { self.token("any") } else { self.commas(Self::name) }
            }
            _ => {
                self.verbs();
                self.token("of");
                self.targets();
                self.maybe(|m| {
                    let stages = ["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic", "any"];
                    let stage = m.choices.pick(&stages);
                    m.tokens(&["at", stage]);
                });
                self.maybe(|m| m.tokens(&["including", "dry_run"]));
            }
        }
    }

    fn verbs(&mut self) {
        let verb = |m: &mut Self| {
            let verb = m.choices.pick(&["get", "list", "read", "post", "'Odd'", "\"x\"", "undecodables"]);
            m.token(verb);
        };
        match self.choices.below(4) {
            0 => self.token("any"),
            1 => {
                self.tokens(&["any", "but"]);
                self.commas(verb);
            }
            _ => self.commas(verb),
        }
    }

    fn targets(&mut self) {
        match self.choices.below(4) {
            0 => {
                self.token("any");
                self.maybe(|m| m.token("resource"));
                self.maybe(|m| {
                    m.token("but");
                    m.commas(Self::target);
                });
            }
            _ => self.commas(Self::target),
        }
    }

    fn target(&mut self) {
        if self.choices.once_in(6) {
            self.token("nonresource");
            return self.text();
        }
        let all = [
            "pods",
            "pods/exec",
            "pods/*",
            "*/scale",
            "*",
            "events.k8s.io",
            "*.cert-manager.io",
            "a-b.x-1.y/*",
        ];
        let target = self.choices.pick(&all);
        self.run_token(target);
    }

    fn when(&mut self) {
        self.token("when");
        self.window();
    }

    fn window(&mut self) {
        match self.choices.below(5) {
            0 => {
                self.condition();
                self.labelled("within", Self::duration);
            }
            1 => {
                self.condition();
                self.labelled("tumbling", Self::duration);
            }
            2 => {
                self.condition();
                self.tokens(&["session", "gap"]);
                self.duration();
                self.labelled("within", Self::duration);
            }
            3 => {
                self.tokens(&["first_seen", "("]);
                self.commas(Self::sum);
                self.token(")");
                self.labelled("within", Self::duration);
                self.labelled("learning", Self::duration);
            }
            _ => {
                self.tokens(&["silent", "for"]);
                self.duration();
                self.maybe(|m| m.labelled("among", Self::name));
            }
        }
    }

    fn steps(&mut self) {
        let word = self.choices.pick(&["sequence", "unordered"]);
        self.token(word);
        self.labelled("within", Self::duration);
        self.token("{");
        for _ in 0..=self.choices.below(3) {
            self.step();
        }
        self.token("}");
    }

    fn step(&mut self) {
        if self.choices.once_in(4) {
            self.labelled("no", Self::step_name);
            self.maybe(|m| m.labelled("within", Self::duration));
            self.token(":");
        } else {
            self.step_name();
            self.token(":");
            self.maybe(|m| {
                m.number(false);
                m.token("times");
            });
        }
        self.on();
        self.maybe(|m| m.labelled("where", Self::condition));
        self.maybe(Self::by);
    }

    /// No word that the selector of the step before could go on with: there it is taken for that.
    fn step_name(&mut self) {
        let name =
            self.choices.pick(&["a", "b2", "read", "of", "tumbling", "And", "IN", "is", "there", "tims"]);
        self.token(name);
    }

    fn tune(&mut self) {
        self.labelled("tune", Self::name);
        self.token("{");
        for _ in 0..self.choices.below(4) {
            match self.choices.below(7) {
                0 => self.labelled("except", Self::condition),
                1 => self.severity(),
                2 => self.labelled("within", Self::duration),
                3 => self.when(),
                4 => self.labelled("throttle", Self::duration),
                5 => self.token("disable"),
                _ => self.token("enable"),
            }
        }
        self.token("}");
    }

    fn tune_list(&mut self) {
        self.tokens(&["tune", "list"]);
        self.name();
        self.token("{");
        for _ in 0..self.choices.below(4) {
            let word = self.choices.pick(&["add", "remove"]);
            self.labelled(word, Self::literals);
        }
        self.token("}");
    }

    fn test(&mut self) {
        self.token("test");
        self.maybe(|m| m.token("tuned"));
        self.name();
        self.text();
        self.token("{");
        self.maybe(|m| m.labelled("start", Self::text));
        self.maybe(|m| m.labelled("given", Self::map));
        for _ in 0..self.choices.below(4) {
            self.happening();
        }
        for _ in 0..=self.choices.below(3) {
            self.expected();
        }
        self.token("}");
    }

    fn happening(&mut self) {
        if self.choices.once_in(5) {
            return self.labelled("until", Self::duration);
        }
        self.labelled("at", Self::duration);
        self.maybe(|m| {
            m.number(false);
            m.tokens(&["times", "every"]);
            m.duration();
        });
        self.maybe(|m| m.labelled("as", Self::name));
        self.map();
    }

    fn expected(&mut self) {
        self.token("expect");
        match self.choices.below(4) {
            0 => self.tokens(&["no", "alert"]),
            1 => {
                self.number(false);
                self.token("alerts");
            }
            _ => {
                self.token("alert");
                self.maybe(|m| m.labelled("at", Self::duration));
                self.maybe(Self::map);
            }
        }
    }
}
