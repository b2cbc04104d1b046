"""The words of questions: which carry no meaning for a search, which carry little, and which say the same thing."""

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")
_HUMPS = re.compile(r"[A-Z]{2,}(?=[A-Z][a-z]{2,})|[A-Z]{1,2}[a-z]+|[a-z]+|[A-Z]+|\d+")

EMPTY = frozenset(
    """
    a about above after again all already also although am an and any anyone anything are aren as ask at be because been
    before being below between both but by can cannot cant could couldn d did didn do does doesn doing don done during each
    either else ever every few for from further had hadn has hasn have haven having he her here hers herself him himself his
    how i if in into is isn it its itself just let ll m ma may maybe me might mine more most mustn my myself near need needn
    needed needs neither no nor not now of off on once one ones only onto or other others our ours ourselves out over own
    perhaps per please possible possibly re really s same shall shan she should shouldn since so some somebody someone
    somehow something such t than that the their theirs them themselves then there these they thing things this those though
    through thus to too under until up upon us ve very via was wasn way ways we were weren what whatever when where whether
    which while who whom whose why will with within without won would wouldn wont yes yet you your yours yourself yourselves
    hello hi hey dear thanks thank thx regards cheers sorry ok okay hallo pls plz currently actually basically simply
    exactly instead wondering wonder help question questions tell explain know understand mean means meaning want wants
    wanted wish like likes looking look trying try tried able unable anyway somewhere kind sort lot lots much many little
    bit im ive id youre dont doesnt didnt isnt arent whats hows wheres theres couldnt wouldnt shouldnt hasnt havent wasnt
    happen happens happened supposed mind correct right good best better properly proper easy easily easiest quick quickly
    etc eg ie
    """.split()  # noqa: SIM905 - a list of words reads better as text
)

LIGHT = frozenset(
    """
    step steps instruction instructions guide tutorial procedure example examples four five six seven eight nine ten twenty thirty
    forty fifty sixty hundred thousand
    use used using user users uses make makes making made get gets getting got give gives given go goes going went take
    takes taking took taken put puts work works working worked come comes came keep keeps kept find finding found see seeing
    show shows showing shown say says said set sets setting run runs running start starts started begin stop stops support
    supports supported supporting allow allows allowed offer offers provide provides provided available new old first last
    next different difference own many several multiple single two three another specific certain automatically always never
    often still sometimes today tomorrow yesterday anymore soon later long time times per type types way kind part parts
    place create creates creating created add adds adding added have having handle handles handling change changes changing
    changed write writing call calls called name names named value values list lists default whole full entire big small
    large great nice real recommended recommend must inside outside top size week weeks month months day days year years
    minute minutes second seconds hour hours page pages site sites website thing data information info product service
    feature features option options open opens turn turned switch happen correctly wrong right problem problems issue issues
    error errors fix fixes fixed version versions custom self simple normal regular actual current manually manual directly
    together against
    """.split()  # noqa: SIM905 - a list of words reads better as text
)

_SAME = """
delete remove erase destroy | wipe purge drop clear
cancel cancellation terminate unsubscribe | stop end quit
login signin "log in" "sign in" "logging in" "logged in" "log into" "sign into" "logging into" | authenticate authentication
logout signout "log out" "sign out" "logging out" "logged out" | disconnect sessions
signup "sign up" register registration enroll | account join
price prices pricing cost costs fee fees "how much" | charge charges expensive cheap plan rate paid
pay payment payments paying | billing bill charge card checkout
refund refunds "money back" reimburse reimbursement | return returns
return returns "send back" "bring back" | refund exchange
ship shipping shipment delivery deliver delivered delivers | arrive dispatch courier parcel package
install installation installing setup "set up" "setting up" | deploy download
update upgrade upgrading updating | version newer migrate
configure configuration config settings preferences setting | options customize customise
enable activate "turn on" "switch on" activating enabling | allow use
disable deactivate "turn off" "switch off" disabling | stop without
error failure fail exception crash | problem issue troubleshoot broken
image images picture pictures photo photos | icon
email mail "e mail" mails emails | message newsletter
phone telephone | mobile call
embed iframe embedded embedding | inside
office offices headquarters
colleague colleagues coworker teammate member members collaborator collaborators team | users people
invite invitation | add share
invoice invoices receipt receipts bill | billing
buy purchase order orders | subscribe
change edit modify adjust alter | update switch
backup backups "back up" "backing up" dump | export restore
restore recover recovery recovering | lost
directory folder directories folders
website site "web site" homepage | domain page
certificate certificates cert certs | ssl tls
documentation docs manual guide | help
environment env
authentication auth authenticate authorization | login credentials
database db databases | sql
application app apps applications
2fa mfa "two factor" "two step" otp | authenticator
discount coupon voucher "promo code" | cheaper offer
limit limits maximum max quota | most
minimum min least
fast quick speed performance | slow faster
slow slowness lag | performance speed
broken damaged defective faulty | warranty
language languages translate translation translations locale localization | i18n
export exporting download | backup
import importing | upload migrate load
upload uploading | file attach
notification notifications notify notified alert alerts | reminder email message
weekly "each week" "every week" week
daily "each day" "every day" day
monthly "each month" "every month" month
yearly annual annually "each year" "every year" year
employee staff
hours "opening hours" opened opens | schedule open closed
spike spikes peak peaks surge | sudden
ignore exclude block skip filter | hide
hide hidden invisible | ignore remove
visits visitors visitor traffic | views
click clicks clicking | tap
send sending | submit post
receive received | get
secure security safe safety | protect
password passwords passphrase passcode | credentials
forgot forget forgotten remember | lost reset recover
connect connecting connection link | integrate integration
integrate integration integrations | connect
private privacy personal | hidden
public publicly | share everyone
shortcut shortcuts hotkey hotkeys | keyboard key
theme themes skin | dark css style
filter filters filtering | exclude rule rules
rule rules | filter
article articles entry entries post posts | item items
test tests testing tested | check
check verify validate validation verification | test
logs log logging | debug
proxy proxies | tunnel
stream streaming | chunk
concurrent parallel simultaneous "at the same time" | concurrency
vacation holiday holidays | leave
warranty guarantee | defect
move transfer migrate migration migrating | switch
duplicate copy clone
compatible compatibility works | support
build compile compiling compilation | source
cron schedule scheduled scheduler scheduling | job
plugin plugins extension extensions addon addons | integration
error404 404 "not found"
vat "tax number" "tax id" | tax
contact reach | email phone
address addresses | location
outbound external
redirect redirects redirecting | forward
uninstall uninstalling | remove
startup "start up" starting | boot lifespan
shutdown "shut down" | stop
hosted hosting host | cloud
free gratis | price trial cost
trial | free
cookie cookies | session
tls ssl | https certificate encryption
subdomain subdomains | domain
subfolder subdirectory subpath | path
css stylesheet stylesheets
js javascript
"rate limit" "rate limits" throttle throttling | limits
"web socket" websocket websockets
"status code" "status codes" | status response
docker | container containers image
container containers
k8s kubernetes
postgres postgresql
repo repository repositories
param params parameter parameters argument arguments
spam junk | bot
"credit card" "credit cards" "debit card" card cards | visa mastercard payment
swap exchange replace replacement | substitute return
keep retain preserve | save store
save store persist | keep
fetch retrieve obtain load | download pull read
search find lookup "look up" | query
rename | name
execute run launch | start
kill terminate | stop end
retry retries "try again" | repeat
undo revert rollback "roll back" | restore
merge combine join | union
compare comparison difference differences differ diff | versus
encrypt encryption encrypted | secure security ssl
compress compression gzip zip | smaller
memory ram
disk storage "disk space" | store
temporary temp
hook hooks callback callbacks | event
body payload | content
cli "command line" terminal shell console | command
os "operating system" "operating systems" platform platforms | windows linux macos
mac macos osx | darwin
smartphone mobile | phone app
timezone "time zone" | time
job jobs career careers | hiring vacancy
donate donation donations sponsor sponsorship | contribute
contribute contribution contributing "pull request" "pull requests" | patch
bug bugs defect | issue problem
license licence licensing
changelog "release notes" "whats new" | history version
requirement requirements prerequisite prerequisites dependency dependencies | needed needs
permission permissions rights role roles | access
access accessing | permission
admin administrator admins | owner
tag tags label labels
username "user name" nickname | login name
selfhost selfhosted selfhosting "self hosted" "self host" "self hosting" | host server
encoding charset | unicode utf
cache caching cached
appearance style design look | theme layout
color colour colors colours
regex regexp "regular expression" "regular expressions" | pattern
wildcard glob pattern | match
flag flags switch | option argument
verbose verbosity | log output debug
quiet silent silence | suppress output
async asynchronous asyncio
mock mocking fake stub
print display output | show
size dimensions | large big width
maximise maximize
minimise minimize
crash crashes crashing crashed | fail error
freeze freezes hang hangs stuck | slow
expire expires expiry expiration expired | valid
valid validity | expire
domain domains hostname host
port ports | listen
server servers | host
key keys token tokens secret | credentials
token tokens "api key" "api keys" | key secret
latest newest recent
older old previous | earlier legacy
automatic automatically "on its own" "on their own" "by itself" "by themselves"
generate generator generation | random create make
strong strength
list lists overview
wife husband spouse child family relative friend | member person people user
data information
sum total
reply respond response answer
feedback review rating
hardware device devices | machine
computer pc laptop machine | device
lost stolen missing
country countries | location
currency currencies | euro dollar
working "working days" "business days"
voice audio sound
video videos
subscription subscriptions membership plan plans | subscribe billing account
downgrade | plan lower
support contact "customer service" | reach help
deadline "due date" due
rounded round
restart reboot reload | start
hourly "each hour" "every hour" hour
queue queues | waiting
inbox mailbox
attachment attachments attach attached | file
compose write
"dark mode" "night mode" dark | theme
"light mode" light | theme
wifi "wi fi" wireless | network
network networking | connection
offline | connection
behind | proxy
sandbox | test
stock availability "in stock"
bot bots crawler crawlers | spam
"""
"""One group a line: words before the bar say the same, those after it are only near."""


def words_of(text: str) -> list[str]:
    """Lower-case words without accents. Underscores, hyphens and apostrophes divide words."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return _WORD.findall("".join(c for c in plain if not unicodedata.combining(c)))


def names_of(text: str) -> list[str]:
    """As `words_of`, and after a name like StaticFiles also its parts: who asks writes "static files"."""
    found: list[str] = []
    for word in _WORD.findall(text):
        found.extend(words_of(word))
        parts = _HUMPS.findall(word) if any(c.isupper() for c in word[1:]) else []
        if len(parts) > 1 and min(map(len, parts)) > 2:
            found.extend(words_of(" ".join(parts)))
    return found


def _groups() -> dict[tuple[str, ...], tuple[tuple[tuple[str, ...], float], ...]]:
    said: dict[tuple[str, ...], dict[tuple[str, ...], float]] = {}
    for line in _SAME.strip().split("\n"):
        same_text, _, near_text = line.partition("|")
        same, near = _phrases(same_text), _phrases(near_text)
        for phrase in same:
            others = said.setdefault(phrase, {})
            for other in same:
                if other != phrase:
                    others[other] = max(others.get(other, 0.0), 0.9)
            for other in near:
                others[other] = max(others.get(other, 0.0), 0.55)
    return {phrase: tuple(others.items()) for phrase, others in said.items()}


def _phrases(text: str) -> list[tuple[str, ...]]:
    return [tuple(words_of(quoted or word)) for quoted, word in re.findall(r'"([^"]+)"|(\S+)', text)]


SAME = _groups()
"""For a word or phrase: what else says it, and how well (1 would be the word itself)."""

LONGEST = max(len(phrase) for phrase in SAME)
