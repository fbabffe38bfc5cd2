//! Health: whether the daily run does its work, judged from what is known of the runs and of the jobs that start them.

use super::job;

/// How the daily evaluation stands; the order is the order of worry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    Ok,
    Warning,
    Critical,
}

/// What is known of the last run that was not skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastRun {
    pub failed_with: Option<String>,
    pub took_too_long: bool,
}

/// A run that holds the lock now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    pub pid: i32,
    /// Whether it has run over 30 minutes; `None` where the caller may not see since when it runs.
    pub is_stuck: Option<bool>,
}

/// Organizations whose follow-ups are held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub number: i64,
    /// The id of one of them.
    pub one: String,
}

impl Held {
    /// What is said of it, and what can be done.
    #[must_use]
    pub fn reason(&self) -> String {
        let Self { number, one } = self;
        format!(
            "follow-ups are held, a backlog above follow_up_limit, of organizations: {number}, such as {one}; evaluation_runs tells how many, evaluate_assignments(organization_id => '{one}') which, and SELECT assignment_reminders.release_held_run('{one}') lets the next run send them"
        )
    }
}

/// Organizations whose sending is paused for a fault that a worker told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paused {
    pub number: i64,
    /// The id of the one that is paused longest.
    pub one: String,
    /// What is at fault there: sender or transport.
    pub fault: String,
    /// What the mail server said, as a code.
    pub code: Option<String>,
    /// Until when, as SQL shows it.
    pub until: String,
}

impl Paused {
    fn reason(&self) -> String {
        let Self { number, one, fault, code, until } = self;
        let code = code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
        format!(
            "sending is paused of organizations: {number}, such as {one} until {until}, for a fault of the {fault}{code}; send_logs (status failed) tells with what words, and claims go on by themselves"
        )
    }
}

/// Organizations in which reminders wait for a worker that does not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unattended {
    pub number: i64,
    /// The id of the one that waits longest.
    pub one: String,
    /// Since when, as SQL shows it.
    pub since: String,
}

impl Unattended {
    fn reason(&self) -> String {
        let Self { number, one, since } = self;
        format!(
            "reminders are due that nobody claims, and nothing is sent, of organizations: {number}, such as {one} since {since}; see that a worker runs (remindersd deliver), and what reminder_queue tells"
        )
    }
}

/// Everything that a verdict rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub last_run: Option<LastRun>,
    /// Whether the last run (the installation, before the first one) is longer ago than allowed.
    pub is_overdue: bool,
    /// Whether a run has been missed by the schedule of the job that makes them; `None` where no schedule tells.
    pub has_missed_run: Option<bool>,
    pub running: Option<Running>,
    pub organizations_without_settings: i32,
    /// Escalations of silences that go on, which reach nobody.
    pub unheard_escalations: i64,
    /// Assignments that nobody will hear of, as a run counted them last, but for those of which somebody decided that.
    pub forgotten: i64,
    /// Whose follow-ups are held, until somebody releases them.
    pub held: Option<Held>,
    /// Messages of the last day that were refused for the sender's sake.
    pub sender_refusals: i64,
    /// Attempts of the last day that no worker answered for.
    pub lost_attempts: i64,
    /// Whose sending is paused.
    pub paused: Option<Paused>,
    /// Whose reminders no worker takes.
    pub unattended: Option<Unattended>,
    /// The triggers of ours that are missing, disabled or altered.
    pub altered_triggers: Vec<String>,
    /// What else install() makes and is missing or altered: "constraint reminders_pkey on reminders".
    pub altered_others: Vec<String>,
    /// How many migrations of this version the tables have not had; `None` where the caller may not see them.
    pub outstanding_migrations: Option<usize>,
    /// `None` where the caller can see none of pg_cron's tables.
    pub jobs: Option<job::Facts>,
}

impl Facts {
    /// Whether a run that was due was not made. By plan there may be days without one.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.is_overdue && self.has_missed_run.unwrap_or(true)
    }
}

impl Status {
    /// The name that SQL shows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// The verdict and its reasons, worst first. Critical: the last run failed, is missing or took over 30 minutes, or a
/// run hangs, follow-ups are held, or nobody sends what is due. Warning: an escalation reaches nobody, or nothing has run yet. And what is wrong with the pg_cron jobs.
#[must_use]
pub fn judge(facts: &Facts) -> (Status, Vec<String>) {
    let mut findings: Vec<(Status, String)> = Vec::new();

    if facts.is_missing() {
        findings.push((Status::Critical, "the last run is missing".to_string()));
    }
    match &facts.running {
        Some(Running { pid, is_stuck: Some(true) }) => {
            findings.push((Status::Critical, format!("a run has held the lock for over 30 minutes (pid {pid})")));
        }
        Some(Running { pid, is_stuck: None }) => {
            let reason = format!("a run holds the lock, since when is not visible to this role (pid {pid})");
            findings.push((Status::Warning, reason));
        }
        Some(Running { is_stuck: Some(false), .. }) | None => {}
    }
    match &facts.last_run {
        Some(run) => {
            if let Some(error) = &run.failed_with {
                findings.push((Status::Critical, format!("the last run failed: {error}")));
            }
            if run.took_too_long {
                findings.push((Status::Critical, "the last run took over 30 minutes".to_string()));
            }
        }
        None => findings.push((Status::Warning, "no run yet".to_string())),
    }
    if facts.organizations_without_settings > 0 {
        let reason = format!(
            "organizations without reminder_settings, which are not evaluated: {}; SELECT assignment_reminders.install() gives them the defaults",
            facts.organizations_without_settings
        );
        findings.push((Status::Critical, reason));
    }
    if let Some(unattended) = &facts.unattended {
        findings.push((Status::Critical, unattended.reason()));
    }
    if let Some(held) = &facts.held {
        findings.push((Status::Critical, held.reason()));
    }
    if facts.unheard_escalations > 0 {
        let reason = format!(
            "escalations that reach nobody: {}; give their assignments a coordinator who can be written to, or set reminder_settings.fallback_coordinator_id",
            facts.unheard_escalations
        );
        findings.push((Status::Warning, reason));
    }
    if facts.forgotten > 0 {
        let reason = format!(
            "assignments that nobody will hear of: {}; forgotten_assignments() names them and says why",
            facts.forgotten
        );
        findings.push((Status::Warning, reason));
    }
    if facts.sender_refusals > 0 {
        let reason = format!(
            "messages of the last 24 hours that were refused for the sender's sake, and nobody's address: {}; send_logs (verdict = 'sender') tells with what words",
            facts.sender_refusals
        );
        findings.push((Status::Warning, reason));
    }
    if facts.lost_attempts > 0 {
        let reason = format!(
            "attempts of the last 24 hours that no worker answered for before its lease ended: {}; workers die, or take longer: what they had may have been sent, and is sent again",
            facts.lost_attempts
        );
        findings.push((Status::Warning, reason));
    }
    if let Some(paused) = &facts.paused {
        findings.push((Status::Warning, paused.reason()));
    }
    if !facts.altered_triggers.is_empty() {
        let reason = format!(
            "triggers are missing, disabled or altered ({}): counts and contact dates may be wrong; SELECT assignment_reminders.install() puts them right",
            facts.altered_triggers.join(", ")
        );
        findings.push((Status::Critical, reason));
    }
    if !facts.altered_others.is_empty() {
        let reason = format!(
            "missing or altered: {}; SELECT * FROM assignment_reminders.altered_definitions() tells how they were made",
            facts.altered_others.join(", ")
        );
        findings.push((Status::Warning, reason));
    }
    if facts.outstanding_migrations.is_some_and(|outstanding| outstanding > 0) {
        let reason =
            "the tables are those of an earlier version: SELECT assignment_reminders.install() brings them to this one";
        findings.push((Status::Critical, reason.to_string()));
    }

    findings.extend(facts.jobs.iter().flat_map(job::findings));

    findings.sort_by_key(|(status, _)| std::cmp::Reverse(*status));
    let status = findings.first().map_or(Status::Ok, |(status, _)| *status);
    (status, findings.into_iter().map(|(_, reason)| reason).collect())
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn good_run() -> LastRun {
        LastRun { failed_with: None, took_too_long: false }
    }

    pub fn healthy() -> Facts {
        Facts {
            last_run: Some(good_run()),
            is_overdue: false,
            has_missed_run: None,
            running: None,
            organizations_without_settings: 0,
            unheard_escalations: 0,
            forgotten: 0,
            held: None,
            sender_refusals: 0,
            lost_attempts: 0,
            paused: None,
            unattended: None,
            altered_triggers: vec![],
            altered_others: vec![],
            outstanding_migrations: Some(0),
            jobs: None,
        }
    }

    fn status(facts: &Facts) -> Status {
        judge(facts).0
    }

    #[test]
    fn a_recent_good_run_is_ok_and_needs_no_reason() {
        assert_eq!(judge(&healthy()), (Status::Ok, vec![]));
    }

    #[test]
    fn a_failed_missing_or_slow_last_run_is_critical() {
        let failed = LastRun { failed_with: Some("out of memory".into()), ..good_run() };
        let slow = LastRun { took_too_long: true, ..good_run() };
        assert_eq!(status(&Facts { last_run: Some(failed), ..healthy() }), Status::Critical);
        assert_eq!(status(&Facts { last_run: Some(slow), ..healthy() }), Status::Critical);
        assert_eq!(status(&Facts { is_overdue: true, ..healthy() }), Status::Critical);
    }

    #[test]
    fn a_run_that_hangs_is_critical_and_one_that_works_is_not() {
        let running = |is_stuck| Facts { running: Some(Running { pid: 7, is_stuck }), ..healthy() };
        assert_eq!(status(&running(Some(true))), Status::Critical);
        assert_eq!(status(&running(Some(false))), Status::Ok);
        assert_eq!(status(&running(None)), Status::Warning);
    }

    #[test]
    fn before_the_first_run_there_is_a_warning_until_it_is_overdue() {
        let none_yet = Facts { last_run: None, ..healthy() };
        assert_eq!(status(&none_yet), Status::Warning);
        assert_eq!(status(&Facts { is_overdue: true, ..none_yet }), Status::Critical);
    }

    #[test]
    fn a_run_is_missing_when_it_is_overdue_unless_its_schedule_had_no_moment_for_it() {
        for (is_overdue, has_missed_run, expected) in [
            (true, None, Status::Critical),
            (true, Some(true), Status::Critical),
            (true, Some(false), Status::Ok),
            (false, Some(true), Status::Ok),
        ] {
            let facts = Facts { is_overdue, has_missed_run, ..healthy() };
            assert_eq!(status(&facts), expected, "{is_overdue} {has_missed_run:?}");
        }
        let failed = LastRun { failed_with: Some("out of memory".into()), ..good_run() };
        let on_a_day_off = Facts { is_overdue: true, has_missed_run: Some(false), ..healthy() };
        assert_eq!(judge(&Facts { last_run: Some(failed), ..on_a_day_off }).1, ["the last run failed: out of memory"]);
    }

    #[test]
    fn escalations_that_reach_nobody_are_a_warning_for_as_long_as_they_stand() {
        let (status, reasons) = judge(&Facts { unheard_escalations: 3, ..healthy() });
        assert_eq!(status, Status::Warning);
        assert!(reasons[0].starts_with("escalations that reach nobody: 3;"), "{reasons:?}");
    }

    #[test]
    fn follow_ups_that_are_held_are_critical_until_they_are_released() {
        let (status, reasons) = judge(&Facts { held: Some(Held { number: 2, one: "a-1".into() }), ..healthy() });
        assert_eq!(status, Status::Critical);
        assert!(
            reasons[0].starts_with("follow-ups are held") && reasons[0].contains("release_held_run('a-1')"),
            "{reasons:?}"
        );
    }

    #[test]
    fn sending_that_is_paused_is_a_warning_that_says_whose_and_why() {
        let paused = Paused {
            number: 2,
            one: "a-1".into(),
            fault: "sender".into(),
            code: Some("550 5.7.1".into()),
            until: "noon".into(),
        };
        let (status, reasons) = judge(&Facts { paused: Some(paused), ..healthy() });
        assert_eq!(status, Status::Warning);
        assert!(reasons[0].contains("a-1 until noon, for a fault of the sender (550 5.7.1)"), "{reasons:?}");
    }

    #[test]
    fn what_no_worker_takes_is_critical() {
        let unattended = Unattended { number: 2, one: "a-1".into(), since: "noon".into() };
        let (status, reasons) = judge(&Facts { unattended: Some(unattended), ..healthy() });
        assert_eq!(status, Status::Critical);
        assert!(reasons[0].contains("organizations: 2, such as a-1 since noon"), "{reasons:?}");
    }

    #[test]
    fn an_organization_without_settings_is_critical() {
        assert_eq!(status(&Facts { organizations_without_settings: 1, ..healthy() }), Status::Critical);
    }

    #[test]
    fn triggers_that_do_not_do_their_work_are_critical_and_named() {
        let (status, reasons) = judge(&Facts { altered_triggers: vec!["a".into(), "b".into()], ..healthy() });
        assert_eq!(status, Status::Critical);
        assert!(reasons[0].contains("(a, b)") && reasons[0].contains("install()"), "{reasons:?}");
    }

    #[test]
    fn other_things_that_were_altered_are_a_warning_and_named() {
        let (status, reasons) =
            judge(&Facts { altered_others: vec!["default organization_id on users".into()], ..healthy() });
        assert_eq!(status, Status::Warning);
        assert!(reasons[0].contains("default organization_id on users"), "{reasons:?}");
    }

    #[test]
    fn tables_of_an_earlier_version_are_critical() {
        assert_eq!(status(&Facts { outstanding_migrations: Some(1), ..healthy() }), Status::Critical);
        assert_eq!(status(&Facts { outstanding_migrations: None, ..healthy() }), Status::Ok, "nothing is known");
    }

    #[test]
    fn the_worst_reason_comes_first() {
        let run = LastRun { failed_with: Some("boom".into()), ..good_run() };
        let (_, reasons) = judge(&Facts { last_run: Some(run), unheard_escalations: 1, ..healthy() });
        assert_eq!(reasons[0], "the last run failed: boom");
        assert_eq!(reasons.len(), 2);
    }
}
