{#- What the figures of a month follow from besides its data: months that were published
    under other policies are no past of today's. -#}
{% macro history_policy_hash() -%}
    {{ return(local_md5(tojson([
        var('fees'), var('returns'), var('duplicate_lines'), var('zero_prices'),
        var('time_zone'), reporting_currency(), var('rfm_window_months'),
        var('new_customer_days'),
    ]))[:16]) }}
{%- endmacro %}

{#- The id of a customer's segment in a segmentation with minimum_purchases: the nearest
    one, with its radius and outlier_segment_id; else a rule-made one. -#}
{% macro assigned_segment(segmentations, customers, nearest, rfm_number) -%}
    {%- set text = dbt.type_string() -%}
    case
        when {{ customers }}.frequency > 0
            and {{ customers }}.frequency < {{ segmentations }}.minimum_purchases
            then concat({{ segmentations }}.segmentation, '-one-time')
        when {{ customers }}.frequency >= {{ segmentations }}.minimum_purchases
            and {{ nearest }}.segment_id is not null
            then case
                when {{ nearest }}.distance > {{ nearest }}.radius
                    then {{ nearest }}.outlier_segment_id
                else {{ nearest }}.segment_id
            end
        when {{ rfm_number }} is not null
            then concat(
                {{ segmentations }}.segmentation, '-rfm-',
                cast({{ rfm_number }} as {{ text }})
            )
        else concat({{ segmentations }}.segmentation, '-0')
    end
{%- endmacro %}

{#- Calendar months from one date to another. (dbt's own counts a month more on Spark.) -#}
{% macro months_between(earlier, later) -%}
    12 * (extract(year from {{ later }}) - extract(year from {{ earlier }}))
    + extract(month from {{ later }}) - extract(month from {{ earlier }})
{%- endmacro %}
