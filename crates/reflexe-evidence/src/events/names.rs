//! Names of numbers: record types, user types and logon types, and the key under which operations compare.

/// Record types of the unified audit log that occur in evidence (number, name).
const RECORD_TYPES: &[(i32, &str)] = &[
    (1, "ExchangeAdmin"),
    (2, "ExchangeItem"),
    (3, "ExchangeItemGroup"),
    (4, "SharePoint"),
    (5, "SyntheticProbe"),
    (6, "SharePointFileOperation"),
    (7, "OneDrive"),
    (8, "AzureActiveDirectory"),
    (9, "AzureActiveDirectoryAccountLogon"),
    (10, "DataCenterSecurityCmdlet"),
    (11, "ComplianceDLPSharePoint"),
    (13, "ComplianceDLPExchange"),
    (14, "SharePointSharingOperation"),
    (15, "AzureActiveDirectoryStsLogon"),
    (16, "SkypeForBusinessPSTNUsage"),
    (17, "SkypeForBusinessUsersBlocked"),
    (18, "SecurityComplianceCenterEOPCmdlet"),
    (19, "ExchangeAggregatedOperation"),
    (20, "PowerBIAudit"),
    (21, "CRM"),
    (22, "Yammer"),
    (23, "SkypeForBusinessCmdlets"),
    (24, "Discovery"),
    (25, "MicrosoftTeams"),
    (28, "ThreatIntelligence"),
    (29, "MailSubmission"),
    (30, "MicrosoftFlow"),
    (31, "AeD"),
    (32, "MicrosoftStream"),
    (33, "ComplianceDLPSharePointClassification"),
    (34, "ThreatFinder"),
    (35, "Project"),
    (36, "SharePointListOperation"),
    (37, "SharePointCommentOperation"),
    (38, "DataGovernance"),
    (39, "Kaizala"),
    (40, "SecurityComplianceAlerts"),
    (41, "ThreatIntelligenceUrl"),
    (42, "SecurityComplianceInsights"),
    (43, "MIPLabel"),
    (44, "WorkplaceAnalytics"),
    (45, "PowerAppsApp"),
    (46, "PowerAppsPlan"),
    (47, "ThreatIntelligenceAtpContent"),
    (48, "LabelContentExplorer"),
    (49, "TeamsHealthcare"),
    (50, "ExchangeItemAggregated"),
    (51, "HygieneEvent"),
    (52, "DataInsightsRestApiAudit"),
    (53, "InformationBarrierPolicyApplication"),
    (54, "SharePointListItemOperation"),
    (55, "SharePointContentTypeOperation"),
    (56, "SharePointFieldOperation"),
    (57, "MicrosoftTeamsAdmin"),
    (58, "HRSignal"),
    (59, "MicrosoftTeamsDevice"),
    (60, "MicrosoftTeamsAnalytics"),
    (61, "InformationWorkerProtection"),
    (62, "Campaign"),
    (63, "DLPEndpoint"),
    (64, "AirInvestigation"),
    (65, "Quarantine"),
    (66, "MicrosoftForms"),
    (67, "ApplicationAudit"),
    (68, "ComplianceSupervisionExchange"),
    (69, "CustomerKeyServiceEncryption"),
    (70, "OfficeNative"),
    (71, "MipAutoLabelSharePointItem"),
    (72, "MipAutoLabelSharePointPolicyLocation"),
    (73, "MicrosoftTeamsShifts"),
    (75, "MipAutoLabelExchangeItem"),
    (76, "CortanaBriefing"),
    (78, "WDATPAlerts"),
    (82, "SensitivityLabelPolicyMatch"),
    (83, "SensitivityLabelAction"),
    (84, "SensitivityLabeledFileAction"),
    (85, "AttackSim"),
    (86, "AirManualInvestigation"),
    (87, "SecurityComplianceRBAC"),
    (88, "UserTraining"),
    (89, "AirAdminActionInvestigation"),
    (90, "MSTIC"),
    (91, "PhysicalBadgingSignal"),
    (93, "AipDiscover"),
    (94, "AipSensitivityLabelAction"),
    (95, "AipProtectionAction"),
    (96, "AipFileDeleted"),
    (97, "AipHeartBeat"),
    (98, "MCASAlerts"),
    (99, "OnPremisesFileShareScannerDlp"),
    (100, "OnPremisesSharePointScannerDlp"),
    (101, "ExchangeSearch"),
    (102, "SharePointSearch"),
    (103, "PrivacyDataMinimization"),
    (104, "LabelAnalyticsAggregate"),
    (105, "MyAnalyticsSettings"),
    (106, "SecurityComplianceUserChange"),
    (107, "ComplianceDLPExchangeClassification"),
    (109, "MipExactDataMatch"),
    (113, "MS365DCustomDetection"),
    (147, "CoreReportingSettings"),
    (148, "ComplianceConnector"),
    (154, "OMEPortal"),
    (164, "ScorePlatformGenericAuditRecord"),
    (174, "DataShareOperation"),
    (181, "EduDataLakeDownloadOperation"),
    (183, "MicrosoftGraphDataConnectOperation"),
    (186, "PowerPagesSite"),
    (188, "PlannerPlan"),
    (216, "Viva Goals"),
    (217, "MicrosoftGraphDataConnectConsent"),
    (230, "TeamsUpdates"),
    (231, "PlannerRosterSensitivityLabel"),
    (237, "DefenderExpertsforXDRAdmin"),
    (251, "VfamCreatePolicy"),
    (261, "CopilotInteraction"),
    (265, "PowerBIDlp"),
];

/// Name of a record type.
pub fn record_type_name(number: i32) -> Option<&'static str> {
    RECORD_TYPES.binary_search_by_key(&number, |r| r.0).ok().map(|i| RECORD_TYPES[i].1)
}

/// A record type given as a number or a name.
pub fn record_type(text: &str) -> Option<i32> {
    let text = text.trim();
    text.parse().ok().or_else(|| RECORD_TYPES.iter().find(|r| r.1.eq_ignore_ascii_case(text)).map(|r| r.0))
}

/// A user type given as a number or a name.
pub fn user_type(text: &str) -> Option<i32> {
    const NAMES: [&str; 11] = [
        "Regular",
        "Reserved",
        "Admin",
        "DcAdmin",
        "System",
        "Application",
        "ServicePrincipal",
        "CustomPolicy",
        "SystemPolicy",
        "PartnerTechnician",
        "Guest",
    ];
    let text = text.trim();
    text.parse().ok().or_else(|| (0..).zip(NAMES).find(|(_, n)| n.eq_ignore_ascii_case(text)).map(|(i, _)| i))
}

/// A logon type given as a number or a name.
pub fn logon_type(text: &str) -> Option<i32> {
    let text = text.trim();
    let named = |(i, n): &(i32, &str)| n.eq_ignore_ascii_case(text).then_some(*i);
    text.parse().ok().or_else(|| [(0, "Owner"), (1, "Admin"), (2, "Delegated"), (2, "Delegate")].iter().find_map(named))
}

/// The key under which operations of all sources compare: trimmed, no final stop, plain dashes, small letters.
pub fn operation_key(operation: &str, out: &mut String) {
    out.clear();
    let trimmed = operation.trim();
    let trimmed = trimmed.strip_suffix('.').unwrap_or(trimmed).trim_end();
    if trimmed.is_ascii() {
        out.push_str(trimmed);
        out.make_ascii_lowercase();
        return;
    }
    // an en dash read in the wrong code page
    let repaired = trimmed.replace("â€“", "-").replace("â€”", "-");
    for c in repaired.chars() {
        match c {
            '\u{2010}'..='\u{2015}' | '\u{2212}' => out.push('-'),
            '\u{a0}' | '\u{202f}' => out.push(' '),
            c => out.extend(c.to_lowercase()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_types_are_sorted() {
        assert!(RECORD_TYPES.windows(2).all(|w| w[0].0 < w[1].0));
        assert_eq!(record_type("exchangeadmin"), Some(1));
        assert_eq!(record_type(" 15 "), Some(15));
        assert_eq!(record_type_name(50), Some("ExchangeItemAggregated"));
        assert_eq!(user_type("Guest"), Some(10));
    }

    #[test]
    fn operations_compare() {
        let key = |text: &str| {
            let mut out = String::new();
            operation_key(text, &mut out);
            out
        };
        assert_eq!(key("Add member to role."), "add member to role");
        let want = "update application - certificates and secrets management";
        assert_eq!(key("Update application – Certificates and secrets management "), want);
        assert_eq!(key("Update application â€“ Certificates and secrets management"), want);
        assert_eq!(key("set-InboxRule"), "set-inboxrule");
    }
}
