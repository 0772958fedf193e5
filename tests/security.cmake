# The security suite, label `security` (ctest -L security): of each test binary the tests that belong to it. They run in
# entries of their own, and in no other. docs/SECURITY.md says against which threat each stands, and a test
# (unit/kernel/security_suite_test.cc) that none of them is forgotten here.
set(security_unit_access "*")
set(security_unit_server "CrossOriginTest.*:GateTest.*:MeterTest.*:UsageTest.*")
set(security_unit_http "Router.NamesARouteThatDoesNotSayWhatItNeeds:ServerTest.AnswersOnlyForItsOwnHosts:ServerTest.LetsNoForeignWebPagePublish:ServerTest.HidesWhatABugSays:TlsTest.TicketsOfThreeEpochsAreTaken")
set(security_db_server "TicketSeedsTest.*")
set(security_unit_xslt "Sandbox.*:SandboxFolder.*")
set(security_unit_schema "GrammarRules.NothingIsReadOutsideOfTheFolderAndNothingFetched:GrammarRules.ADocumentCannotNameItsSchema:Interruptible.*")
set(security_functional_security "*")
set(security_functional_server "AbuseTest.*:AccessTest.*:CorsAccessTest.*:DoorStylesheetTest.ABoundTokenIsHeldAgainstWhatTheStylesheetMakes:DoorStylesheetTest.ARetryDoesNotShowTheEntryOfAnotherPart:DoorStylesheetTest.AStylesheetThatFailsIsTheServersFaultAndTheServerGoesOn:DoorStylesheetTest.ReservedCategoriesAreNotTheClients:FirstToken.*:HostileBodies.*:HubAccessTest.*:HubSafety.*:IsolationTest.*:LimitsTest.*:LogTest.HoldsNoSecretsWhateverIsLogged:LogTest.CannotBeForged:ManageTest.QuotasAreSetByWhoMayManageAllThereIs:ManageTest.WhatIsPrivateStaysSoWhereNothingIsSaidOfIt:OwnFeedsTest.NobodyElsePublishesThere:AuditStandsTest.*:EveryAct.*:QuotaTest.*:SelfServiceTest.WhoDoesNotKnowTheTokenLearnsNothing:SelfServiceTest.NothingOfOthersTakesEffectOnThePage:SignedUrlTest.*")
set(security_conformance_server "ContentPolicy.*:Limits.*:Rfc6750.*:Smuggling.*")
