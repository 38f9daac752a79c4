-- +goose Up

-- How payment files are written, where it is not as the environment of API and workers says: what they call the
-- company, banking days between a file and its payment, and templates. What it was before stands with the
-- company's other settings over time.
-- +goose StatementBegin
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['company', 'company_version'] LOOP
        EXECUTE format('ALTER TABLE %I ADD file_company text NOT NULL DEFAULT '''', ADD iso20022_lead_days integer CHECK (iso20022_lead_days BETWEEN 0 AND 30), ADD nacha_lead_days integer CHECK (nacha_lead_days BETWEEN 0 AND 30),
            ADD payment_file_template text NOT NULL DEFAULT '''', ADD payment_file_answers text NOT NULL DEFAULT '''', ADD india_template text NOT NULL DEFAULT '''', ADD india_answers text NOT NULL DEFAULT ''''', t);
    END LOOP;
END $$;
-- +goose StatementEnd
