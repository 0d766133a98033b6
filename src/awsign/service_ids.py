"""Signing name -> service IDs, by which settings name a service: AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL_SECRETS_MANAGER.

Source: botocore's models (`serviceId`); AWS SDKs and tools reference, "Service-specific endpoints".
"""

from __future__ import annotations

# Those whose ID is not the signing name with _ for -. Several IDs: several services are signed for by that name.
_SERVICE_IDS = {
    row.split()[0]: tuple(row.split()[1:])
    for row in """
    IoTSecuredTunneling iotsecuretunneling
    access-analyzer accessanalyzer
    account-access account_access account_access_runtime
    aco-automation compute_optimizer_automation
    agent-registry agent_registry agent_registry_control
    aidevops devops_agent
    airflow mwaa
    airflow-serverless mwaa_serverless
    aoss opensearchserverless
    apigateway api_gateway apigatewayv2
    app-integrations appintegrations
    appconfig appconfig appconfigdata
    application-autoscaling application_auto_scaling
    application-cost-profiler applicationcostprofiler
    applicationinsights application_insights
    appmesh app_mesh
    aps amp
    autoscaling auto_scaling
    autoscaling-plans auto_scaling_plans
    aws-marketplace marketplace_agreement marketplace_catalog marketplace_deployment marketplace_discovery marketplace_entitlement_service marketplace_metering marketplace_reporting
    awsssoportal sso
    backup-search backupsearch
    bedrock bedrock bedrock_agent bedrock_agent_runtime bedrock_data_automation bedrock_data_automation_runtime bedrock_runtime
    bedrock-agentcore bedrock_agentcore bedrock_agentcore_control
    cases connectcases
    cassandra keyspaces keyspacesstreams
    ce cost_explorer
    chime chime chime_sdk_identity chime_sdk_media_pipelines chime_sdk_meetings chime_sdk_messaging chime_sdk_voice
    cleanrooms-ml cleanroomsml
    cloudcontrolapi cloudcontrol
    cloudhsm cloudhsm cloudhsm_v2
    cloudsearch cloudsearch cloudsearch_domain
    cloudwatch cloudwatchomni
    codeguru-profiler codeguruprofiler
    cognito-idp cognito_identity_provider
    config config_service
    connect connect connect_contact_lens connectscheduling
    connect-campaigns connectcampaigns connectcampaignsv2
    cur cost_and_usage_report_service
    datapipeline data_pipeline
    devicefarm device_farm
    directconnect direct_connect
    discovery application_discovery_service
    dms database_migration_service
    ds directory_service
    ds-data directory_service_data
    dynamodb dynamodb dynamodb_streams
    elasticbeanstalk elastic_beanstalk
    elasticfilesystem efs
    elasticloadbalancing elastic_load_balancing elastic_load_balancing_v2
    elasticmapreduce emr
    elemental-inference elementalinference
    end-user-messaging endusermessaging
    es elasticsearch_service opensearch
    events eventbridge eventbridgev2
    execute-api apigatewaymanagementapi connectparticipant
    forecast forecast forecastquery
    geo location
    globalaccelerator global_accelerator
    greengrass greengrass greengrassv2
    health-agent connecthealth
    iam iam iam_toolbox
    iot-jobs-data iot_jobs_data_plane
    iotdata iot_data_plane
    iotmanagedintegrations iot_managed_integrations
    iotwireless iot_wireless
    ivs ivs ivs_realtime
    kinesisanalytics kinesis_analytics kinesis_analytics_v2
    kinesisvideo kinesis_video kinesis_video_archived_media kinesis_video_media kinesis_video_signaling kinesis_video_webrtc_storage
    lambda lambda lambda_core lambda_microvms lambda_web
    launchwizard launch_wizard
    lex lex_model_building_service lex_models_v2 lex_runtime_service lex_runtime_v2
    logs cloudwatch_logs
    machinelearning machine_learning
    marketplacecommerceanalytics marketplace_commerce_analytics
    mediastore mediastore mediastore_data
    mgh migration_hub migrationhub_config
    migrationhub-orchestrator migrationhuborchestrator
    migrationhub-strategy migrationhubstrategy
    mobiletargeting pinpoint
    monitoring cloudwatch
    mturk-requester mturk
    neptune-db neptunedata
    notifications-contacts notificationscontacts
    osm opensearchmemory
    partnercentral partnercentral_revenue_measurement
    payment-cryptography payment_cryptography payment_cryptography_data
    personalize personalize personalize_events personalize_runtime
    pricingplanmanager pricing_plan_manager
    profile customer_profiles
    rds rds docdb neptune
    refactor-spaces migration_hub_refactor_spaces
    resiliencehub resiliencehub resiliencehubv2
    route53 route_53
    route53domains route_53_domains
    s3 s3 s3_control
    s3-outposts s3outposts
    sagemaker sagemaker sagemaker_a2i_runtime sagemaker_edge sagemaker_featurestore_runtime sagemaker_inference_router_runtime sagemaker_metrics sagemaker_runtime sagemakerjobruntime sagemakertrainingsessionruntime
    scn supplychain
    sdb simpledb simpledbv2
    secretsmanager secrets_manager
    serverlessrepo serverlessapplicationrepository
    servicecatalog service_catalog service_catalog_appregistry
    servicequotas service_quotas
    ses ses mailmanager pinpoint_email sesv2
    signer signer signer_data
    sms-voice pinpoint_sms_voice pinpoint_sms_voice_v2
    social-messaging socialmessaging
    sso sso_admin
    sso-oauth sso_oidc
    states sfn
    storagegateway storage_gateway
    supportapp support_app
    tagging resource_groups_tagging_api
    tax taxsettings
    thinclient workspaces_thin_client
    timestream timestream_query timestream_write
    voiceid voice_id
    wisdom wisdom qconnect
    """.strip().splitlines()
}


def service_ids(service: str) -> tuple[str, ...]:
    """The IDs of the services that are signed for by a name, as the keys of the shared files write them."""
    own = service.lower().replace("-", "_").replace(" ", "_")
    return (*(each for each in _SERVICE_IDS.get(service, ()) if each != own), own)
