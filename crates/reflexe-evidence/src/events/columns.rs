//! Column numbers of the event tables, looked up once.
use std::sync::OnceLock;

use crate::{
    spec::{Table, table},
    write::TableBuilder,
};

macro_rules! columns {
    ($name:ident of $table:literal: $($column:ident)*) => {
        #[doc = concat!("Columns of `", $table, "`.")]
        #[derive(Debug)]
        #[allow(missing_docs, reason = "the table's own names")]
        pub struct $name { pub table: &'static Table, $(pub $column: usize),* }

        impl $name {
            /// The columns.
            ///
            /// # Panics
            /// If the embedded table has not all of them: a test holds that it has.
            pub fn get() -> &'static Self {
                static COLUMNS: OnceLock<$name> = OnceLock::new();
                COLUMNS.get_or_init(|| {
                    let table = table($table).unwrap_or_else(|| panic!("no table {}", $table));
                    let find = |name: &str| {
                        TableBuilder::column_of(table, name).unwrap_or_else(|| panic!("no column {}.{name}", $table))
                    };
                    Self { table, $($column: find(stringify!($column))),* }
                })
            }
        }
    };
}

columns!(Ual of "ual_event": id creation_time record_type record_type_name workload operation operation_key result_status success user_id
    user_key user_type actor_object_id actor_upn actor_class actor_app_id object_id client_ip client_port ip_kind user_agent
    client_info_string app_id client_app_id application_id logon_type mailbox_owner_upn mailbox_guid session_id unique_token_identifier
    app_access_session_id inter_systems_id intra_system_id error_number logon_error mail_access_type is_throttled operation_count
    affected_count item_subject item_message_id item_folder_path site_url file_name target_user sharing_id device_id external_access
    organization_id data organization_name);
columns!(Property of "ual_property": event_id bag name value old_value);
columns!(Signin of "signin": id created_date_time sign_in_class derived intra_system_id user_id user_principal_name user_display_name
    user_type service_principal_id service_principal_name credential_key_id credential_thumbprint app_id app_display_name resource_id
    resource_display_name ip ip_kind ip_from_resource asn country state city latitude longitude error_code failure_reason result
    client_app_used authentication_protocol original_transfer_method incoming_token_type authentication_requirement mfa_satisfied
    auth_methods conditional_access_status risk_level_during_sign_in risk_level_aggregated risk_state risk_detail risk_event_types
    cross_tenant_access_type home_tenant_id resource_tenant_id user_agent browser operating_system device_id device_name is_compliant
    is_managed trust_type session_id unique_token_identifier correlation_id flagged_for_review);
columns!(Audit of "directory_audit": id activity_date_time activity_key activity_display_name derived category operation_type
    logged_by_service result result_reason correlation_id actor_type actor_id actor_upn actor_display_name actor_app_id actor_sp_id
    actor_class ip user_agent target1_type target1_id target1_name target1_upn targets additional_details);
columns!(Change of "directory_audit_change": audit_id target_ordinal target_id property old_value new_value);
columns!(Issue of "ingest_issue": severity code message);
columns!(Copy of "row_copy": table_name);
columns!(Coverage of "coverage": table_name operation subject time_from time_to complete reason lost);

#[cfg(test)]
mod tests {
    #[test]
    fn every_column_exists() {
        super::Ual::get();
        super::Property::get();
        super::Signin::get();
        super::Audit::get();
        super::Change::get();
        super::Issue::get();
        super::Copy::get();
        super::Coverage::get();
    }
}
