-- +goose Up

-- Tells at once whether an environment has accounts that limit where requests may come from.
CREATE INDEX accounts_ip_allow_list ON accounts (environment) WHERE ip_allow_list <> '';

-- Letters are claimed environment by environment.
CREATE INDEX mail_queue_turns ON mail_queue (environment, due_at) WHERE state = 'queued';
