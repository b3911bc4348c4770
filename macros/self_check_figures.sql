{#- The measures of the Power BI model, and where rpt_self_check has what they must show.
    A test holds the list against the measures there are. -#}
{% macro self_check_figures() -%}
    {% set figures = {
        'Customer Count': 'customers.customer_count',
        'Share of Customers': ratio(
            'customers.customer_count', 'customers.customer_count_of_all_segments'
        ),
        'Reachable Customers': 'actions.reachable_count',
        'Action Worth': 'actions.worth',
        'Action Cost': 'actions.cost',
        'Contactable Customers': 'customers.contactable_count',
        'Customers to Contact': 'customers.treatment_count',
        'Audience Worth': 'customers.audience_worth',
        'Measurable Audiences': 'audiences.measurable_count',
        'Average Attribute': 'attributes.mean_value',
        'Profile Index': 'profiles.mean_index',
        'Profile Difference': 'profiles.mean_effect_size',
        'Silhouette': 'candidates.silhouette',
        'Stability': 'candidates.stability',
        'Inertia': 'candidates.inertia',
        'Feature Contribution': 'features.contribution',
        'Largest Drift': 'drift.psi',
        'Rows': 'quality.row_count',
        'Share of Rows Used': 'quality.used_share',
    } %}
    {% if has('order_lines') %}
    {% do figures.update({
        'Buying Customers': 'customers.buying_count',
        'Active Customers': 'orders.active_count',
        'New Customers': 'orders.new_count',
        'Returning Customers': 'orders.active_count - orders.new_count',
        'Reactivated Customers': 'reactivated.customer_count',
        'Lapsed Customers': 'customers.lapsed_count',
        'Average Recency Days': ratio(
            'customers.recency_days', 'customers.buying_count'
        ),
        'Average Frequency': ratio(
            'customers.purchase_count', 'customers.customer_count'
        ),
        'Revenue': 'orders.revenue',
        'Share of Revenue': ratio(
            'orders.revenue', 'orders.revenue_of_all_segments'
        ),
        'Purchases': 'orders.purchase_count',
        'Average Order Value': ratio('orders.revenue', 'orders.purchase_count'),
        'Purchases per Active Customer': ratio(
            'orders.known_purchase_count', 'orders.active_count'
        ),
        'Revenue per Active Customer': ratio(
            'orders.known_revenue', 'orders.active_count'
        ),
        'Share Returned': ratio('orders.returned_amount', 'orders.gross_amount'),
        'Share of Top 20 %': 'orders.top_fifth_share',
        'Net Spend': 'customers.net_spend',
        'Share of Net Spend': ratio(
            'customers.net_spend', 'customers.net_spend_of_all_segments'
        ),
        'Revenue Previous Period': 'orders.revenue_previous_period',
        'Revenue Change': ratio(
            '(orders.revenue - orders.revenue_previous_period)',
            'orders.revenue_previous_period',
        ),
        'Revenue Previous Year': 'orders.revenue_previous_year',
        'Revenue Year over Year': ratio(
            '(orders.revenue - orders.revenue_previous_year)',
            'orders.revenue_previous_year',
        ),
        'Revenue Rolling 3 Months': 'orders.revenue_rolling_3',
        'Revenue Rolling 12 Months': 'orders.revenue_rolling_12',
        'Customers Then': 'trends.customer_count',
        'Revenue Then': 'trends.revenue',
        'Moved In': 'moves.in_count',
        'Moved Out': 'moves.out_count',
        'Net Movement': 'moves.in_count - moves.out_count',
        'Customer Moves': 'moves.customer_count',
        'Share of Moves': ratio('moves.customer_count', 'moves.customer_count'),
        'Churn Horizon Days': 'orders.horizon_days',
        'Customers Active Before': 'orders.active_before_count',
        'Retained Customers': 'orders.retained_count',
        'Retention Rate': 'orders.retention_rate',
        'Churn Rate': '1 - orders.retention_rate',
        'Repeat Purchase Rate': ratio(
            'customers.repeat_count', 'customers.buying_count'
        ),
        'Cohort Retention Rate': 'cohorts.retention_rate',
        'Share with Second Purchase': 'second_purchase.share',
        'Lifetime Value': 'customers.lifetime_value',
        'Average Lifetime Value': ratio(
            'customers.lifetime_value', 'customers.valued_count'
        ),
        'Value if Retained': 'customers.value_if_retained',
        'Value at Risk': 'customers.value_at_risk',
        'Share at Risk': ratio(
            'customers.value_at_risk', 'customers.value_if_retained'
        ),
        'Average Churn Probability': ratio(
            'customers.churn_probability', 'customers.judged_count'
        ),
        'High-Value Customers at Risk': 'customers.high_value_at_risk_count',
        'Revenue Last 12 Months': 'orders.revenue_last_12',
        'Control-Group Lift': 'campaigns.lift',
        'Additional Buyers': 'campaigns.additional_count',
        'Predicted Spend': 'spend_deciles.predicted',
        'Actual Spend': 'spend_deciles.actual',
        'Predicted Churn': 'churn_deciles.predicted',
        'Observed Churn': 'churn_deciles.actual',
    }) %}
    {% endif %}
    {{ return(figures) }}
{%- endmacro %}
