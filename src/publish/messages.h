/* messages: every sentence and word that the pages and figures say, in Japanese and English, from one list.
 *
 * Terms are those of the field (JPCERT/CC, NICT). {1} and {2} stand for what is filled in. Pure. */
#ifndef TEITEN_MESSAGES_H
#define TEITEN_MESSAGES_H

#include "core/calendar.h"

struct buf;
struct zone;

enum lang { LANG_JA, LANG_EN, LANGS };

#define MESSAGES(X) \
	X(LANGUAGE_NAME, "日本語", "English") \
	X(SKIP, "本文へ移動", "Skip to the content") \
	X(NAVIGATION, "サイト内", "Site") \
	X(HOME, "トップ", "Home") \
	X(ABOUT, "この画面について", "About these pages") \
	X(INSIDE_VIEW, "内部画面", "Inside view") \
	X(INSIDE_NOTE, "この画面はこの計算機の中だけで表示されます。センサー名と送信元をそのまま含みます。", \
		"These pages are shown on this machine only. They name sensors and sources as they are.") \
	X(NOTICE_SILENT, "センサー {1} の観測が途絶えています（{2}分間、観測なし）", "sensor {1} is silent: nothing was watched for {2} minutes") \
	X(NOTICE_CAPTURING, "センサー {1} は観測中です", "sensor {1} is capturing") \
	X(NOTICE_LOSING, "センサー {1} でパケットの取りこぼしが発生しています（この1時間で1,000件あたり{2}件）", \
		"sensor {1} loses packets: {2} of a thousand in this hour") \
	X(NOTICE_WHOLE, "センサー {1} の取りこぼしは解消しました（1時間、取りこぼしなし）", "sensor {1} has lost nothing for an hour") \
	X(NOTICE_MOVED, "センサー {1} の観測アドレスが変わりました。登録したアドレス数を確認してください", \
		"sensor {1} observes other addresses than before: see how many it is enrolled with") \
	X(NOTICE_SURGE, "スキャンの急増を検知しました: {1}（機械による判定、未確認。1時間あたりの送信元数 {2}）", \
		"a scan surge was found: {1} (by machine, unconfirmed; {2} sources an hour)") \
	X(NOTICE_SURGE_OVER, "スキャンの急増 {1} は収まりました（ピーク時の1時間あたりの送信元数 {2}）", \
		"the scan surge {1} is over (at its peak {2} sources an hour)") \
	X(NOTICE_SURGE_GONE, "スキャンの急増 {1} を取り下げました（遅れて届いたデータなどにより、検知されなくなりました。取り下げ前の値は1時間あたりの送信元数 {2}）", \
		"the scan surge {1} was withdrawn: with what came late it is not found any more (it had {2} sources an hour)") \
	X(SURGES, "スキャンの急増", "Surges") \
	X(SURGES_OPEN, "継続中の急増", "Surges that go on") \
	X(SURGES_ENDED, "終息した急増", "Surges that have ended") \
	X(SURGES_NONE_OPEN, "継続中の急増はありません。", "No surge is open.") \
	X(SURGES_NONE_ENDED, "終息した急増はありません。", "None has ended yet.") \
	X(SURGES_ALL, "すべての急増", "All surges") \
	X(SURGES_MORE, "ほかに {1} 件あります（teiten surge list --all で表示）。", "{1} more: teiten surge list --all shows them.") \
	X(SURGES_LOOKED, "{1} までの観測について調べた結果です。", "Looked for in everything that was observed up to {1}.") \
	X(SURGES_NOT_LOOKED, "保管先を開いてから、急増はまだ調べられていません。表示しているのは以前に検知したものです。teiten keep の動作中は自動的に、" \
		"そうでなければ teiten surge list の実行時に調べます。", \
		"Nobody has looked for surges since the store was opened; what is shown was found before. A running teiten keep does it by itself, " \
		"teiten surge list where none runs.") \
	X(SURGES_METHOD, "急増とは、ある宛先ポートで、新しい送信元の数と、それを検知したセンサーの広がりの両方が、過去4週間の同じ曜日・時間帯から予測される範囲を超えて" \
		"増えることです。プログラムが1時間ごとに全ポートを調べ、始まり・ピーク・終息を推定します。「要確認」は、最も強く反応した4分の1のセンサーを除いても成り立つ" \
		"広域のもの、「注視」はそこまでに至らないものです。値は1時間あたりの送信元数（全センサー合計。各センサーの数はその場所で通常見られる範囲に抑えたもの）で、" \
		"ピーク時の値と、始まる前に予測された値を示します。人が判断するまでは「機械判定・未確認」です。", \
		"A surge is a rise of new sources on a destination port, and of the number of sensors that they reach, beyond what the same weekdays and hours of " \
		"the four weeks before let expect. The program looks at every port hour by hour and estimates when a surge began, was highest, and ended. An alarm " \
		"is broad: it would still be one without the quarter of the sensors that are most surprised. A watch is worth a look. Values are sources an hour " \
		"over all sensors, each sensor’s count cut at what is usual there: at the peak, and as expected before the onset. Until a person has judged it, " \
		"a surge is “machine, unconfirmed”.") \
	X(SURGES_JUDGE, "判断を記録するには、次のコマンドを実行します（real 実際の急増、research 調査目的、artefact 観測上の見かけ、unknown 判断の取り消し）。", \
		"This records a verdict (real, research, artefact, or unknown to take one back):") \
	X(SURGE, "急増", "surge") \
	X(SURGE_PAGE, "急増 {1}", "Surge {1}") \
	X(SURGE_LEVEL, "レベル", "level") \
	X(SURGE_CLASS, "種別", "class") \
	X(SURGE_ONSET, "始まり", "onset") \
	X(SURGE_PEAK, "ピーク", "peak") \
	X(SURGE_END, "終息", "end") \
	X(SURGE_ONGOING, "継続中", "goes on") \
	X(SURGE_KNOWN, "検知", "known") \
	X(SURGE_HOURS_AFTER, "始まりの {1} 時間後", "{1} h after onset") \
	X(SURGE_KNOWN_AT, "{1}（始まりの {2} 時間後）", "{1}, {2} hours after the onset") \
	X(SURGE_VALUE, "ピーク時の値", "value at the peak") \
	X(SURGE_EXPECTED, "予測値", "expected") \
	X(SURGE_NEW_SOURCES, "新しい送信元（1時間ごとの合計）", "new sources, summed hour by hour") \
	X(SURGE_STATE, "状態", "state") \
	X(SURGE_VERDICT, "判断", "verdict") \
	X(SURGE_VERDICT_BY, "{1}（{2}）", "{1}, by {2}") \
	X(SURGE_NOTE, "理由", "note") \
	X(SURGE_REVISION, "版", "revision") \
	X(SURGE_HISTORY, "変更の履歴", "What was said of it") \
	X(SURGE_SAID, "記録日時", "said") \
	X(SURGE_HOUR, "対象時刻", "of the hour") \
	X(SURGE_REASON, "変更の理由", "reason") \
	X(SURGE_BY, "記録者", "by") \
	X(SURGE_BY_MACHINE, "機械", "machine") \
	X(SURGE_IN_FIGURE, "帯で示した急増", "Surges shown as bands") \
	X(SURGE_ALARM, "要確認", "alarm") \
	X(SURGE_WATCH, "注視", "watch") \
	X(SURGE_UNCONFIRMED, "機械判定・未確認", "machine, unconfirmed") \
	X(SURGE_REAL, "実際の急増", "real") \
	X(SURGE_RESEARCH, "調査目的のスキャン", "research") \
	X(SURGE_ARTEFACT, "観測上の見かけ", "artefact") \
	X(SURGE_IS_OPEN, "継続中", "open") \
	X(SURGE_IS_CLOSED, "終息", "closed") \
	X(SURGE_IS_SHIFTED, "水準変化（継続中）", "level shift, goes on") \
	X(SURGE_IS_WITHDRAWN, "取り下げ", "withdrawn") \
	X(SURGE_FOUND, "検知", "found") \
	X(SURGE_UPGRADED, "注視から要確認へ", "upgraded") \
	X(SURGE_CONTINUED, "再び増加", "continued") \
	X(SURGE_CLOSED, "終息", "closed") \
	X(SURGE_BECAME_SHIFT, "水準変化", "level shift") \
	X(SURGE_RECOMPUTED, "再計算", "recomputed") \
	X(SURGE_WITHDRAWN, "取り下げ", "withdrawn") \
	X(SURGE_JUDGED, "人の判断", "verdict") \
	X(CLASS_BROAD, "広域", "broad") \
	X(CLASS_PARTIAL, "一部のセンサー", "partial") \
	X(CLASS_SINGLE_SENSOR, "単一センサー", "single sensor") \
	X(CLASS_SINGLE_SOURCE, "単一送信元", "single source") \
	X(CLASS_FEW_SOURCES, "少数の送信元", "few sources") \
	X(CLASS_LEVEL_SHIFT, "水準変化", "level shift") \
	X(CLASS_LOCAL, "局所的な増加", "local rise") \
	X(NOTICE_TRIAL, "通知の送信試験です", "a trial: notices arrive here") \
	X(SENSORS_PAGE_TEXT, "このサイトの平均はすべて、センサーが実際に観測していた時間で割ったものです。観測率は、最初に観測した時刻から" \
		"現在（観測を終えたセンサーでは最後に観測した時刻）までのうち、実際に観測していた時間の割合です。", \
		"All means of these pages are over the time in which sensors really looked. Coverage is the share of that time since the first " \
		"watched minute, up to now for a sensor that should be watching, else up to its last one.") \
	X(SENSOR_STATE, "状態", "State") \
	X(SENSOR_ADDRESSES, "観測アドレス数", "Observed addresses") \
	X(SENSOR_GROUP, "グループ", "Group") \
	X(SENSOR_REGION, "設置地域", "Region") \
	X(SENSOR_LAST, "最後の観測", "Last watched") \
	X(SENSOR_COVERAGE, "観測率", "Coverage") \
	X(STATE_IMPORTED, "登録なし", "not enrolled") \
	X(STATE_CAPTURING, "観測中", "capturing") \
	X(STATE_SILENT, "観測途絶", "silent") \
	X(STATE_OUTAGE, "計画停止中", "planned outage") \
	X(STATE_NEVER, "未受信", "never heard") \
	X(STATE_RETIRED, "登録終了", "retired") \
	X(NO_SENSORS, "センサーはまだありません。", "There is no sensor yet.") \
	X(ARCHIVE, "これはアーカイブです。最後の観測は {1} で、現在の状況ではありません。「直近」の期間はその日までです。", \
		"This is an archive. The last observation is of {1}; it does not show the present. Recent spans end there.") \
	X(TAGLINE, "未使用アドレスなどに届く、求めていないパケットの定点観測", \
		"Fixed-point observation of packets that nobody asked for") \
	X(INTRO, "センサーに届いた TCP、UDP、ICMP のパケットを数えたものです。多くはスキャンと、他者への攻撃の" \
		"跳ね返り（バックスキャッター）です。値はセンサーが実際に観測していた時間で割ったもので、観測していない" \
		"時間は 0 件ではなく欠測として扱います。", \
		"These are counts of the TCP, UDP and ICMP packets that reached the sensors; most are scans, some are the " \
		"backscatter of attacks on others. Values are per time in which sensors really looked: unobserved " \
		"time is missing, never zero.") \
	X(NOT_ATTACKERS_PLACE, "送信元地域は IP アドレスの登録地域です。攻撃者の所在を示すものではありません。", \
		"A source region is where the address is registered, not where an attacker is.") \
	X(NOT_JPCERT, "JPCERT/CC のサイトではありません。", "This is not a site of JPCERT/CC.") \
	X(UPDATED, "最終更新", "Last updated") \
	X(UPDATED_AT, "最終更新 {1}", "last updated {1}") \
	X(ZONE, "時間帯", "Time zone") \
	X(SENSORS, "センサー", "Sensors") \
	X(SENSORS_COUNT, "センサー {1} 台", "{1} sensors") \
	X(SENSORS_ONE, "センサー 1 台", "1 sensor") \
	X(VERSION, "版", "Version") \
	X(PORTS_TOP, "宛先ポート 上位 {1}", "Top {1} destination ports") \
	X(REGIONS_TOP, "送信元地域 上位 {1}", "Top {1} source regions") \
	X(SOURCES_TOP, "送信元アドレス 上位 {1}", "Top {1} source addresses") \
	X(NETWORKS_TOP, "送信元ネットワーク 上位 {1}", "Top {1} source networks") \
	X(SENSORS_TOP, "センサー別 上位 {1}", "Top {1} sensors") \
	X(PORTS_ALL, "宛先ポート", "Destination ports") \
	X(REGIONS_ALL, "送信元地域", "Source regions") \
	X(SOURCES_ALL, "送信元アドレス", "Source addresses") \
	X(NETWORKS_ALL, "送信元ネットワーク", "Source networks") \
	X(SENSORS_ALL, "センサー別", "By sensor") \
	X(KINDS_ALL, "パケットの種類別", "By kind of packet") \
	X(MARKS_ALL, "ツールの特徴別", "By tool mark") \
	X(PROTOS_ALL, "プロトコル別", "By protocol") \
	X(ALL_PORTS, "全ポートの推移", "All ports") \
	X(ONE_PORT, "{1} の推移", "{1} over time") \
	X(FILTER_PORT, "宛先ポート {1}", "destination port {1}") \
	X(FILTER_PROTO, "プロトコル {1}", "protocol {1}") \
	X(FILTER_REGION, "送信元地域 {1}", "source region {1}") \
	X(FILTER_SENSOR, "センサー {1}", "sensor {1}") \
	X(FILTER_SOURCE, "送信元 {1}", "source {1}") \
	X(FILTER_KIND, "種類 {1}", "kind {1}") \
	X(FILTER_MARK, "ツールの特徴 {1}", "tool mark {1}") \
	X(FILTER_WITHOUT, "{1} を除く", "without {1}") \
	X(FILTER_SCANNER, "スキャナー {1}", "scanner {1}") \
	X(WITHOUT_SCANNERS, "既知のスキャナーを除く", "without known scanners") \
	X(ONLY_SCANNERS, "既知のスキャナーのみ", "known scanners only") \
	X(ANY_SCANNERS, "既知のスキャナーを含む", "with known scanners") \
	X(SCANNERS_LIST, "既知スキャナー一覧 {1}", "list of known scanners {1}") \
	X(CHOOSE_SCANNERS, "既知のスキャナー", "Known scanners") \
	X(SCANNER, "スキャナー", "scanner") \
	X(SCANNERS_ALL, "既知のスキャナー別", "By known scanner") \
	X(SCANNER_NOT_KNOWN, "一覧にない送信元", "not in the list") \
	X(LIST_COMMA, "、", ", ") \
	X(PARENS, "{1}（{2}）", "{1} ({2})") \
	X(LAST_HOURS, "{1}時間", "{1} hours") \
	X(LAST_DAYS, "{1}日間", "{1} days") \
	X(LAST_WEEKS, "{1}週間", "{1} weeks") \
	X(LAST_MONTHS, "{1}か月", "{1} months") \
	X(LAST_YEARS, "{1}年", "{1} years") \
	X(LAST_HOUR, "1時間", "one hour") \
	X(LAST_DAY, "1日", "one day") \
	X(LAST_WEEK, "1週間", "one week") \
	X(LAST_MONTH, "1か月", "one month") \
	X(LAST_YEAR, "1年", "one year") \
	X(SPAN, "{1}〜{2}", "{1} to {2}") \
	X(BY_MINUTE, "分別", "by minute") \
	X(BY_HOUR, "時間別", "by hour") \
	X(BY_DAY, "日別", "by day") \
	X(BY_WEEK, "週別", "by week") \
	X(BY_MONTH, "月別", "by month") \
	X(BY_QUARTER, "四半期別", "by quarter") \
	X(BY_ALL, "期間全体", "whole span") \
	X(UNIT_ADDRESS, "観測アドレス1個・1日あたりのパケット数", "packets per observed address and day") \
	X(UNIT_SENSOR, "センサー1台・1日あたりのパケット数", "packets per sensor and day") \
	X(UNIT_SUM, "全センサー合計の1日あたりのパケット数", "packets per day, all sensors together") \
	X(UNIT_SUM_HOUR, "全センサー合計の1時間あたりのパケット数", "packets per hour, all sensors together") \
	X(UNIT_SUM_MINUTE, "全センサー合計の1分あたりのパケット数", "packets per minute, all sensors together") \
	X(ACROSS_IS_MEAN, "単純平均", "plain mean") \
	X(ACROSS_IS_SUM, "合計", "sum") \
	X(ACROSS_IS_MEDIAN, "中央値", "median") \
	X(ACROSS_IS_ROBUST, "頑健な代表値", "robust value") \
	X(ZONE_IS, "日時は {1}", "times in {1}") \
	X(UNOBSERVED, "観測なし（欠測）", "not observed") \
	X(SOURCE_LINE, "出典: {1}", "Source: {1}") \
	X(DRAWN_FIRST, "上位 {1} のみを描画", "only the first {1} are drawn") \
	X(CHART_DESCRIPTION, "折れ線グラフ。縦軸は{1}、横軸は{2}。値は図の下の表にあります。", \
		"Line chart. Vertical axis: {1}; horizontal axis: {2}. The values are in the table below the figure.") \
	X(CHART_PEAK, "{1} の最大は {2}。", "The peak of {1} is {2}.") \
	X(AXIS_DATE, "日付（{1}）", "date ({1})") \
	X(AXIS_TIME, "日時（{1}）", "date and time ({1})") \
	X(FIGURE, "図 {1}", "Figure {1}") \
	X(VALUES_TABLE, "値の表", "Table of the values") \
	X(SAVE_AS, "この図", "This figure") \
	X(PERMALINK, "固定リンク", "Permanent link") \
	X(TIME, "日時", "time") \
	X(LOOKED, "観測センサー数", "sensors looking") \
	X(RANK, "順位", "rank") \
	X(PREVIOUS_RANK, "前期順位", "previous rank") \
	X(PORT, "宛先ポート", "destination port") \
	X(SERVICE, "主な用途", "service") \
	X(REGION, "送信元地域", "source region") \
	X(SENSOR, "センサー", "sensor") \
	X(SOURCE, "送信元アドレス", "source address") \
	X(NETWORK, "送信元ネットワーク", "source network") \
	X(KIND, "種類", "kind") \
	X(MARK, "ツールの特徴", "tool mark") \
	X(PROTO, "プロトコル", "protocol") \
	X(LABEL, "系列", "series") \
	X(VALUE, "値", "value") \
	X(PLAIN, "単純平均", "plain mean") \
	X(STANDARD_ERROR, "標準誤差", "standard error") \
	X(ACCEPTED, "採用センサー数", "sensors accepted") \
	X(REMARKS, "備考", "remarks") \
	X(ROBUST_ALONE, "センサー間の照合不可", "no cross-check possible") \
	X(ROBUST_WEAK, "センサー間の照合は限定的", "weak cross-check") \
	X(ROBUST_FAINT, "件数僅少のため特異なセンサーを判別できない水準", "contamination not detectable at this level") \
	X(ROBUST_UNRELIABLE, "信頼性が低い", "unreliable") \
	X(PROVISIONAL, "速報値", "provisional") \
	X(REVISION, "第{1}版", "revision {1}") \
	X(SET_ASIDE, "集計から除外したセンサー（3か月）", "Sensors that were set aside (three months)") \
	X(SET_ASIDE_NOTE, "この宛先ポートとその日に限り、ほかのセンサーと合わないため集計から除外したものです。除外されたセンサーだけが攻撃を受けていた可能性もあります。", \
		"Set aside for this port and that day only, because they did not go with the others. An odd sensor may be the only one that was attacked.") \
	X(SET_ASIDE_NONE, "除外したセンサーはありません。", "No sensor was set aside.") \
	X(SET_ASIDE_MORE, "ほかに {1} 件あります（teiten sensor odd --port PORT --all で表示）。", "{1} more: teiten sensor odd --port PORT --all shows them.") \
	X(FINDING, "判定", "finding") \
	X(EXPECTED_PACKETS, "予測値", "expected") \
	X(FACTOR, "倍率", "factor") \
	X(FOUND_ODD_UP, "特異（多い）", "odd, too much") \
	X(FOUND_ODD_DOWN, "特異（少ない）", "odd, too little") \
	X(FOUND_ASIDE_UP, "除外（多め）", "set aside, much") \
	X(FOUND_ASIDE_DOWN, "除外（少なめ）", "set aside, little") \
	X(PACKETS, "パケット数", "packets") \
	X(SOURCES, "送信元数", "sources") \
	X(SENSORS_SAW, "検知センサー数", "sensors that saw it") \
	X(NO_ROWS, "この期間に該当するパケットはありません。", "No such packets in this span.") \
	X(UNKNOWN_REGION, "不明", "unknown") \
	X(TOTALS_NOTE, "パケット数と送信元数は期間全体の実数、値は{1}（{2}）です。", \
		"Packets and sources are exact totals over the span; the value is the {1} ({2}).") \
	X(FELL_BACK, "この指定では頑健な代表値が定義されていないか、まだ計算されていないため、単純平均を表示しています。", \
		"The plain mean is shown: a robust value is not defined for this, or not reckoned yet.") \
	X(PORT_PAGE, "宛先ポート {1}", "Destination port {1}") \
	X(PORT_REGIONS, "送信元地域 上位 {1}（3か月）", "Top {1} source regions (three months)") \
	X(PORT_SENSORS, "センサーごとの検知状況（3か月）", "Sensors that saw it (three months)") \
	X(PORT_SENSORS_COUNT, "{2} 台のうち {1} 台で検知。", "{1} of {2} sensors saw it.") \
	X(CHOOSE, "期間と集計を選ぶ", "Choose span and measure") \
	X(CHOOSE_SPAN, "期間", "Span") \
	X(CHOOSE_STEP, "刻み", "Step") \
	X(CHOOSE_ACROSS, "代表値", "Across sensors") \
	X(CHOOSE_PER, "単位", "Per") \
	X(PER_IS_ADDRESS, "観測アドレス1個", "observed address") \
	X(PER_IS_SENSOR, "センサー1台", "sensor") \
	X(SHOW, "表示", "Show") \
	X(BACK_HOME, "トップに戻る", "Back to the home page") \
	X(EMPTY_TITLE, "まだ観測データがありません", "Nothing has been observed yet") \
	X(EMPTY_HOW, "パケットのキャプチャやファイアウォールの記録を取り込むと、ここに図が表示されます。", \
		"Import packet captures or firewall logs, and the figures appear here.") \
	X(EMPTY_HELP, "形式と使い方は次で表示されます。", "This shows the formats and options.") \
	X(EMPTY_RELOAD, "取り込みが終わったら、このページを再読み込みしてください。", \
		"When the import has ended, load this page again.") \
	X(NOT_FOUND, "ページがありません", "No such page") \
	X(NOT_FOUND_TEXT, "この場所にページはありません。", "There is no page at this place.") \
	X(BAD_QUESTION, "指定を読み取れません", "The question cannot be read") \
	X(BAD_QUESTION_TEXT, "URL の指定に誤りがあります。", "Something in the address of this page is not right.") \
	X(EXPECTED, "指定できる値: {1}", "Expected: {1}") \
	X(BAD_KEY, "項目「{1}」の指定が正しくありません。", "The value of “{1}” is not right.") \
	X(ASK_EACH, "nothing、port、sensor、region、source、network、kind、mark、proto、scanner のいずれか（scanner は既知のスキャナーの一覧が登録されている場合に限る）", \
		"nothing, port, sensor, region, source, network, kind, mark, proto or, where known scanners are listed, scanner") \
	X(ASK_STEP, "minute、hour、day、week、month、quarter、all のいずれか。値の数が多すぎる場合は、刻みを粗くするか期間を短くしてください", \
		"minute, hour, day, week, month, quarter or all; with too many values, a coarser step or a shorter span") \
	X(ASK_ACROSS, "robust（頑健な代表値）、mean（平均）、sum（合計）、median（中央値）のいずれか", \
		"robust, mean, sum or median") \
	X(ASK_PER, "address（アドレスあたり）または sensor（センサーあたり）", \
		"address or sensor") \
	X(ASK_TOP, "1 から 200000 までの数、または all", \
		"a number from 1 to 200000, or all") \
	X(ASK_LAST, "数と h、d、w、mo、y のいずれか（例: 3mo、1y、90d）", \
		"a number and h, d, w, mo or y, such as 3mo, 1y or 90d") \
	X(ASK_SPAN, "2006-05-15、2006-05-15T09:00、2006-05-15T00:00Z のような日付・時刻。終わりは始まりより後", \
		"a date or time such as 2006-05-15, 2006-05-15T09:00 or 2006-05-15T00:00Z; the end after the beginning") \
	X(ASK_PROTO, "tcp、udp、icmp、icmpv6 のいずれか。ポートを指定する場合はそのプロトコル", \
		"tcp, udp, icmp or icmpv6; that of the port where one is given") \
	X(ASK_PORT, "1433/tcp、53/udp、icmp/8 のような宛先ポート", \
		"a port such as 1433/tcp, 53/udp or icmp/8") \
	X(ASK_KIND, "scan、backscatter、error、other、all。コンマで複数指定可", \
		"scan, backscatter, error, other or all; several with commas") \
	X(ASK_MARK, "zmap、masscan、mirai、nmap、unicornscan、all。コンマで複数指定可", \
		"zmap, masscan, mirai, nmap, unicornscan or all; several with commas") \
	X(ASK_WITHOUT, "除外するパケットの種類（scan、backscatter、error、other）またはツールの特徴（zmap、masscan、mirai、nmap、unicornscan）。コンマで複数指定可", \
		"kinds (scan, backscatter, error, other) or tool marks (zmap, masscan, mirai, nmap, unicornscan) to leave out; several with commas") \
	X(ASK_SENSOR, "登録されているセンサーの名前（`teiten sensor list` で一覧を表示）", \
		"the name of a sensor that is there; `teiten sensor list` shows them") \
	X(ASK_REGION, "JP のような 2 文字の地域コード。不明は ZZ", \
		"two letters such as JP; ZZ is unknown") \
	X(ASK_SCANNERS, "without（既知のスキャナーを除く）、only（既知のスキャナーのみ）、all（すべて）、または一覧にある組織名（`teiten scanner list` で表示）。一覧が登録されている場合に限る", \
		"without, only, all, or an organisation of the list of known scanners; `teiten scanner list` shows it, if there is one") \
	X(ASK_SOURCE, "IP アドレス、または 192.0.2.0/24 のようなプレフィックス", \
		"an address, or a prefix such as 192.0.2.0/24") \
	X(ASK_KEYS, "each step across per top last from until proto port kind mark without sensor region source scanners", \
		"each step across per top last from until proto port kind mark without sensor region source scanners") \
	X(UNAVAILABLE, "ただいま表示できません", "Not available at the moment") \
	X(UNAVAILABLE_TEXT, "データの保管先が応答しません。しばらくして再読み込みしてください。", \
		"The store does not answer. Load this page again in a moment.") \
	X(ABOUT_VALUES, "値の定義", "What the values are") \
	X(ABOUT_PLAIN, "単純平均は、パケット数の合計を、観測アドレス数と観測した時間の積の合計で割ったものです。" \
		"刻みの4分の1より短くしか観測しなかったセンサーは平均に含めません。", \
		"The plain mean is the sum of the packets over the sum of observed addresses times observed time. A sensor " \
		"that looked for less than a quarter of a step is not in its mean.") \
	X(ABOUT_PERIOD, "期間の値は日ごとの値の平均です。誰も観測しなかった日は除きます。順位はこの値で決まります。", \
		"A period's value is the mean of its days' values, without days on which nobody looked. Ranks follow it.") \
	X(ABOUT_HATCH, "図の斜線は、どのセンサーも観測していなかった期間です。線はそこで途切れます。", \
		"Hatching marks time in which no sensor looked; lines break there.") \
	X(ABOUT_ICMP, "ICMP はタイプごとに、ポートと並べて順位を付けます。", "ICMP is ranked by type, beside the ports.") \
	X(ABOUT_DATA, "数値の取得", "Taking the numbers away") \
	X(ABOUT_API, "どの図と表も、同じ指定で JSON と CSV を取得できます。", \
		"Every figure and table is there as JSON and CSV, for the same question.")

#define MESSAGE_NAME(name, ja, en) M_##name,
enum message { MESSAGES(MESSAGE_NAME) MESSAGE_COUNT };
#undef MESSAGE_NAME

const char *message(enum lang l, enum message m);
/* The message with {1} and {2} filled in, as plain text: the caller escapes it. */
void message_fill(struct buf *out, enum lang l, enum message m, const char *first, const char *second);
const char *lang_code(enum lang l);                     /* "ja", "en" */
bool lang_parse(const char *text, enum lang *out);

/* 2006年6月30日, 30 June 2006; with the time and zone: 2006年6月30日 09:00 JST, 30 June 2006 09:00 JST. */
enum { MESSAGE_DATE_MAX = 96 };
const char *message_date(enum lang l, const struct zone *z, minute_t at, char out[MESSAGE_DATE_MAX]);
const char *message_moment(enum lang l, const struct zone *z, minute_t at, char out[MESSAGE_DATE_MAX]);
const char *message_month(enum lang l, int month);      /* 6月, Jun */
const char *message_zone(const struct zone *z);         /* JST for Asia/Tokyo, else the zone's own name */

#endif
