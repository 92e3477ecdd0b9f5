// Emoji by their names in Slack: those of this project and the common ones. An unknown name stays as it was written.

const NAMES = `
+1 👍 thumbsup 👍 -1 👎 thumbsdown 👎 ok_hand 👌 wave 👋 clap 👏 raised_hands 🙌 pray 🙏 muscle 💪 point_right 👉
point_left 👈 point_up ☝️ point_down 👇 raised_hand ✋ handshake 🤝 writing_hand ✍️ eyes 👀 brain 🧠 speech_balloon 💬
smile 😄 smiley 😃 grinning 😀 grin 😁 laughing 😆 joy 😂 rofl 🤣 slightly_smiling_face 🙂 wink 😉 blush 😊 heart_eyes 😍
sunglasses 😎 thinking_face 🤔 neutral_face 😐 upside_down_face 🙃 cry 😢 sob 😭 scream 😱 sweat_smile 😅 relieved 😌
slightly_frowning_face 🙁 confused 😕 worried 😟 angry 😠 sleeping 😴 zzz 💤 exploding_head 🤯 partying_face 🥳
nerd_face 🤓 hugging_face 🤗 shrug 🤷 facepalm 🤦 robot_face 🤖 ghost 👻 skull 💀 face_with_thermometer 🤒 mask 😷
wave_hand 👋 bust_in_silhouette 👤 busts_in_silhouette 👥 baby_bottle 🍼 dog 🐶 cat 🐱 bug 🐛 bee 🐝 penguin 🐧
heart ❤️ green_heart 💚 blue_heart 💙 yellow_heart 💛 broken_heart 💔 sparkling_heart 💖 100 💯 fire 🔥 star ⭐ star2 🌟
sparkles ✨ zap ⚡ boom 💥 tada 🎉 confetti_ball 🎊 balloon 🎈 gift 🎁 trophy 🏆 medal 🏅 rocket 🚀 airplane ✈️ car 🚗
train 🚆 bus 🚌 house 🏠 house_with_garden 🏡 office 🏢 hospital 🏥 palm_tree 🌴 desert_island 🏝️ beach_with_umbrella 🏖️
mountain ⛰️ evergreen_tree 🌲 seedling 🌱 four_leaf_clover 🍀 rainbow 🌈 sunny ☀️ cloud ☁️ umbrella ☔ snowflake ❄️
coffee ☕ tea 🍵 beer 🍺 pizza 🍕 cake 🍰 doughnut 🍩 apple 🍎 fork_and_knife 🍴 soccer ⚽ dart 🎯 art 🎨 game_die 🎲
musical_note 🎵 headphones 🎧 microphone 🎤 movie_camera 🎥 camera 📷 tv 📺 computer 💻 desktop_computer 🖥️ keyboard ⌨️
phone ☎️ telephone_receiver 📞 iphone 📱 battery 🔋 electric_plug 🔌 bulb 💡 flashlight 🔦 wrench 🔧 hammer 🔨
hammer_and_wrench 🛠️ gear ⚙️ link 🔗 paperclip 📎 scissors ✂️ lock 🔒 unlock 🔓 key 🔑 shield 🛡️ mag 🔍 mag_right 🔎
memo 📝 pencil 📝 pencil2 ✏️ page_facing_up 📄 books 📚 book 📖 notebook 📓 bookmark 🔖 clipboard 📋 file_folder 📁
open_file_folder 📂 card_index 📇 chart_with_upwards_trend 📈 chart_with_downwards_trend 📉 bar_chart 📊 calendar 📆 date 📅
spiral_calendar_pad 🗓️ alarm_clock ⏰ hourglass ⌛ hourglass_flowing_sand ⏳ stopwatch ⏱️ clock1 🕐 bell 🔔 no_bell 🔕
loudspeaker 📢 mega 📣 email ✉️ envelope ✉️ inbox_tray 📥 outbox_tray 📤 package 📦 mailbox 📫 wastebasket 🗑️ pushpin 📌
round_pushpin 📍 triangular_flag_on_post 🚩 checkered_flag 🏁 white_check_mark ✅ heavy_check_mark ✔️ ballot_box_with_check ☑️
x ❌ negative_squared_cross_mark ❎ heavy_plus_sign ➕ heavy_minus_sign ➖ question ❓ grey_question ❔ exclamation ❗
grey_exclamation ❕ warning ⚠️ no_entry ⛔ no_entry_sign 🚫 construction 🚧 rotating_light 🚨 sos 🆘 new 🆕 free 🆓 cool 🆒
information_source ℹ️ recycle ♻️ arrow_right ➡️ arrow_left ⬅️ arrow_up ⬆️ arrow_down ⬇️ arrows_counterclockwise 🔄
repeat 🔁 red_circle 🔴 large_blue_circle 🔵 large_green_circle 🟢 large_yellow_circle 🟡 large_orange_circle 🟠
white_circle ⚪ black_circle ⚫ small_blue_diamond 🔹 small_orange_diamond 🔸 one 1️⃣ two 2️⃣ three 3️⃣ four 4️⃣ five 5️⃣
microscope 🔬 test_tube 🧪 dna 🧬 crystal_ball 🔮 scales ⚖️ moneybag 💰 briefcase 💼 mortar_board 🎓 globe_with_meridians 🌐
earth_africa 🌍 crown 👑 eyeglasses 👓 technologist 🧑‍💻 teacher 🧑‍🏫 scientist 🧑‍🔬
skin-tone-2 🏻 skin-tone-3 🏼 skin-tone-4 🏽 skin-tone-5 🏾 skin-tone-6 🏿`;

const words = NAMES.trim().split(/\s+/);
const TABLE = new Map(words.flatMap((word, at) => (at % 2 ? [] : [[word, words[at + 1]]])));

const EMOJI = /:([a-z0-9_+'-]+):/g;
export const withEmoji = (text) => text.replace(EMOJI, (written, name) => TABLE.get(name) ?? written);

/** Return an emoji of rich text, which often comes with its code points ("1f44b-1f3fd"). */
export function emojiOf({name, unicode, skin_tone: tone}) {
  if (/^[0-9a-f]{1,6}(-[0-9a-f]{1,6})*$/i.test(unicode ?? "")) {
    const points = unicode.split("-").map((point) => Number.parseInt(point, 16));
    if (points.every((point) => point <= 0x10ffff)) return String.fromCodePoint(...points);
  }
  return TABLE.has(name) ? TABLE.get(name) + (TABLE.get(`skin-tone-${tone}`) ?? "") : `:${name}:`;
}
