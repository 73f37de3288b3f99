BEGIN TRANSACTION;
CREATE TABLE fluxor_definitions (hash TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL, unused_since DOUBLE PRECISION);
INSERT INTO "fluxor_definitions" VALUES('hash','name: größe',NULL);
CREATE TABLE fluxor_processes (
            position INTEGER NOT NULL PRIMARY KEY, id TEXT NOT NULL UNIQUE, workflow TEXT NOT NULL, version TEXT NOT NULL,
            definition_hash TEXT NOT NULL, state TEXT NOT NULL, sequence BIGINT NOT NULL, created_at DOUBLE PRECISION NOT NULL,
            updated_at DOUBLE PRECISION NOT NULL, finished_at DOUBLE PRECISION, parent_id TEXT, root_id TEXT NOT NULL,
            labels TEXT NOT NULL, next BIGINT NOT NULL, ended BIGINT);
INSERT INTO "fluxor_processes" VALUES(1,'going-on','order','1','hash','running',2,1000.0,1001.0,NULL,NULL,'going-on','{"team": "größe"}',3,NULL);
INSERT INTO "fluxor_processes" VALUES(2,'over','order','1','hash','completed',1,1000.5,1002.0,1002.0,'going-on','going-on','{}',2,1);
CREATE TABLE fluxor_records (
            process_id TEXT NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL, at DOUBLE PRECISION NOT NULL, events TEXT NOT NULL,
            PRIMARY KEY (process_id, first));
INSERT INTO "fluxor_records" VALUES('going-on',1,1,1000.0,'[{"type":"SignalReceived","v":1,"name":"s1","value":{"n":[1,2.5,null]}}]');
INSERT INTO "fluxor_records" VALUES('going-on',2,2,1001.0,'[{"type":"ProcessPaused","v":1}]');
INSERT INTO "fluxor_records" VALUES('over',1,1,1000.5,'[{"type":"SignalReceived","v":1,"name":"s1","value":"ä"}]');
CREATE TABLE fluxor_schema (version INTEGER NOT NULL PRIMARY KEY, migrated_at DOUBLE PRECISION NOT NULL);
INSERT INTO "fluxor_schema" VALUES(1,1000.0);
CREATE INDEX fluxor_processes_state ON fluxor_processes (state, position);
CREATE INDEX fluxor_processes_parent ON fluxor_processes (parent_id, position) WHERE parent_id IS NOT NULL;
CREATE INDEX fluxor_processes_ended ON fluxor_processes (ended) WHERE ended IS NOT NULL;
COMMIT;
