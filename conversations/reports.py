"""Report views. Column names and meanings are stable for BI tools.

They read statistics, never `prompts`, so they answer at once at any size; the 95th percentile alone reads the rows of
one version, by index, and only when it is asked for.
"""

from promptlib.core.sql import View, joined, uuid_text

VIEWS = [
    View(
        name="report_template_usage",
        serves="per version: runs, success rate, latency, tokens, cost, rating",
        select=lambda vendor: (
            f"""
            SELECT v.id AS version_id,
                   {uuid_text(vendor, "v.id")} AS version_uuid,
                   t.id AS template_id,
                   {uuid_text(vendor, "t.id")} AS template_uuid,
                   t.title AS title,
                   v.number AS number,
                   v.usage_count AS runs,
                   1.0 * v.success_count / NULLIF(v.usage_count, 0) AS success_rate,
                   1.0 * v.total_latency_ms / NULLIF(v.latency_count, 0) AS mean_latency_ms,
                   (SELECT MIN(ranked.latency_ms)
                      FROM (SELECT p.latency_ms AS latency_ms, CUME_DIST() OVER (ORDER BY p.latency_ms) AS share
                              FROM prompts p
                             WHERE p.template_version_id = v.id AND p.status = 'completed'
                               AND p.latency_ms IS NOT NULL AND p.deleted_at IS NULL) AS ranked
                     WHERE ranked.share >= 0.95) AS p95_latency_ms,
                   v.input_tokens AS input_tokens,
                   v.output_tokens AS output_tokens,
                   v.total_cost AS cost,
                   1.0 * v.rating_sum / NULLIF(v.rating_count, 0) AS rating_average,
                   v.rating_count AS rating_count,
                   v.last_used_at AS last_used_at
              FROM template_versions v
              JOIN templates t ON t.id = v.template_id
             WHERE t.deleted_at IS NULL"""
        ),
    ),
    View(
        name="report_model_usage_daily",
        serves="per day and model: people, runs, failures, tokens, cost, mean latency",
        select=lambda vendor: (
            f"""
            SELECT {joined(vendor, "day", "'/'", "provider", "'/'", "model")} AS id,
                   day AS day, provider AS provider, model AS model,
                   COUNT(DISTINCT user_id) AS people,
                   SUM(runs) AS runs, SUM(failures) AS failures,
                   SUM(input_tokens) AS input_tokens, SUM(output_tokens) AS output_tokens,
                   SUM(cost) AS cost,
                   1.0 * SUM(latency_ms) / NULLIF(SUM(latency_count), 0) AS mean_latency_ms
              FROM usage_daily
             WHERE runs > 0
             GROUP BY day, provider, model"""
        ),
    ),
    View(
        name="report_user_activity",
        serves="per person: runs, failures, tokens, cost, first and last day, templates, conversations",
        select=lambda vendor: (
            f"""
            SELECT u.id AS user_id, {uuid_text(vendor, "u.id")} AS user_uuid, u.display_name AS display_name,
                   COALESCE(d.runs, 0) AS runs, COALESCE(d.failures, 0) AS failures,
                   COALESCE(d.input_tokens, 0) AS input_tokens, COALESCE(d.output_tokens, 0) AS output_tokens,
                   COALESCE(d.cost, 0) AS cost, d.first_day AS first_day, d.last_day AS last_day,
                   (SELECT COUNT(*) FROM templates t WHERE t.owner_id = u.id AND t.deleted_at IS NULL)
                       AS template_count,
                   (SELECT COUNT(*) FROM conversations c WHERE c.owner_id = u.id AND c.deleted_at IS NULL)
                       AS conversation_count
              FROM users u
              LEFT JOIN (SELECT user_id, SUM(runs) AS runs, SUM(failures) AS failures,
                                SUM(input_tokens) AS input_tokens, SUM(output_tokens) AS output_tokens,
                                SUM(cost) AS cost, MIN(day) AS first_day, MAX(day) AS last_day
                           FROM usage_daily WHERE runs > 0 GROUP BY user_id) d ON d.user_id = u.id
             WHERE u.deleted_at IS NULL"""
        ),
    ),
    View(
        name="report_conversation_activity",
        serves="per conversation: interactions, people, tokens, cost, age",
        select=lambda vendor: (
            f"""
            SELECT id AS conversation_id, {uuid_text(vendor, "id")} AS conversation_uuid, owner_id AS owner_id,
                   title AS title, prompt_count AS prompt_count, participant_count AS participant_count,
                   input_tokens AS input_tokens, output_tokens AS output_tokens, cost AS cost,
                   created_at AS started_at, last_prompt_at AS last_prompt_at
              FROM conversations
             WHERE deleted_at IS NULL"""
        ),
    ),
]
