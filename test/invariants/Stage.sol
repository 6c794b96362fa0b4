// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IAdmin} from "../../contracts/interfaces/IAdmin.sol";
import {IMulticall} from "../../contracts/interfaces/IMulticall.sol";
import {IProtocol} from "../../contracts/interfaces/IProtocol.sol";
import {IViews} from "../../contracts/interfaces/IViews.sol";
import {Category} from "../../contracts/types/Deals.sol";
import {Books} from "./Books.sol";
import {Busybody} from "./Busybody.sol";
import {vm} from "./Vm.sol";

/// @title Stage
/// @notice The Hub, its actors, the clock, chance, and how an actor calls.
abstract contract Stage is Books {
    /// @notice Thrown when the Hub did what it must refuse (`done`), or refused what it must do.
    error Unexpected(bytes4 selector, bool done, bytes reason);

    /// @notice Thrown when a contract could not be made.
    error NotDeployed(string name);

    /// @dev Five keys, and a contract that the sixth key signs for.
    uint256 internal constant ACTORS = 6;
    uint256 internal constant WHALE = 4;
    uint256 internal constant BUSYBODY = 5;
    uint256 internal constant ENCLAVE_KEY = 101;
    uint256 internal constant BROKER_KEY = 102;
    uint256 internal constant STRANGER_KEY = 103;
    uint256 internal constant MAX_SUPPLY = type(uint96).max;
    address internal constant NOBODY = address(0);

    IProtocol public hub;
    Busybody internal _busybody;
    address[] internal _actors;
    /// @dev All who can own something in the Hub.
    address[] internal _accounts;
    mapping(address account => uint256) internal _keyOf;
    address internal _kittyAddress;

    /// @notice How often each function of the Hub went through, and how often it was refused.
    mapping(bytes4 selector => uint256) public successes;
    mapping(bytes4 selector => uint256) public refusals;
    uint256 public calls;

    /// @dev Kept here, for the compiler takes the block's time to be one all through a call.
    uint256 internal _now = 1_800_000_000;
    uint256 private _entropy;

    /// @dev What happens follows from the seed and from what happened before.
    modifier action(uint256 seed) {
        _entropy = seed;
        ++calls;
        _;
    }

    /* CAST */

    function _cast() internal {
        vm.warp(_now);
        for (uint256 i = 0; i < ACTORS; ++i) {
            uint256 key = 1 + i;
            address actor = vm.addr(key);
            if (i == BUSYBODY) {
                _busybody = new Busybody(actor);
                actor = address(_busybody);
            }
            _keyOf[actor] = key;
            _actors.push(actor);
            _accounts.push(actor);
        }
        _keyOf[vm.addr(BROKER_KEY)] = BROKER_KEY;
    }

    /// @dev By name, so that a change of these tests does not compile the contracts again.
    function _deploy(string memory name, bytes memory arguments) internal returns (address deployed) {
        bytes memory code = abi.encodePacked(vm.getCode(string.concat(name, ".sol:", name)), arguments);
        assembly ("memory-safe") {
            deployed := create(0, add(code, 32), mload(code))
        }
        require(deployed != address(0), NotDeployed(name));
    }

    function _deployHub(string memory name, IAdmin.Config memory config, Category[] memory categories) internal {
        address office = _deploy("HubOffice", abi.encode(config, _deploy("HubViews", abi.encode(config))));
        hub = IProtocol(_deploy(name, abi.encode(config, categories, office)));
        _kittyAddress = hub.kitty_address();
        _accounts.push(address(hub));
        _accounts.push(_kittyAddress);
    }

    /* CHANCE */

    /// @dev A number below `limit`.
    function _draw(uint256 limit) internal returns (uint256) {
        _entropy = uint256(keccak256(abi.encode(_entropy)));
        return _entropy % limit;
    }

    /// @dev Once in `odds` times.
    function _chance(uint256 odds) internal returns (bool) {
        return _draw(odds) == 0;
    }

    function _someone() internal returns (address) {
        return _actors[_draw(ACTORS)];
    }

    /// @dev Mostly part of what there is, at times all of it, more, or far more.
    function _amountOf(uint256 available) internal returns (uint256) {
        uint256 kind = _draw(16);
        if (kind == 0) return available + 1;
        if (kind == 1) return type(uint256).max - _draw(2);
        if (kind == 2) return 0;
        if (kind == 3) return available / 2;
        return _draw(available / 100 + 2);
    }

    /* CALLS */

    /// @dev At times by a multicall, or by a multicall within a multicall.
    function _act(address actor, bytes memory data) internal returns (bool done, bytes memory answer) {
        uint256 layers = _chance(6) ? 1 + _draw(2) : 0;
        bytes memory sent = data;
        for (uint256 i = 0; i < layers; ++i) {
            sent = _wrap(sent);
        }
        vm.prank(actor);
        (done, answer) = address(hub).call(sent);
        for (uint256 i = 0; i < layers; ++i) {
            answer = done ? _lastAnswer(answer) : _reason(answer);
        }
        _count(bytes4(data), done);
        if (layers > 0) _count(IMulticall.multicall.selector, done);
    }

    /// @dev The Hub must do it if, and only if, the rules allow it.
    function _actIf(bool allowed, address actor, bytes memory data) internal returns (bytes memory answer) {
        bool done;
        (done, answer) = _act(actor, data);
        _expect(done == allowed, bytes4(data), done, answer);
    }

    function _expect(bool expected, bytes4 selector, bool done, bytes memory answer) internal pure {
        require(expected, Unexpected(selector, done, answer));
    }

    function _count(bytes4 selector, bool done) internal {
        if (done) ++successes[selector];
        else ++refusals[selector];
    }

    function _wrap(bytes memory data) internal returns (bytes memory) {
        bool alone = _chance(2);
        bytes[] memory inner = new bytes[](alone ? 1 : 2);
        inner[0] = abi.encodeCall(IViews.updateDomainSeparator, ());
        inner[inner.length - 1] = data;
        return abi.encodeCall(IMulticall.multicall, (inner));
    }

    function _lastAnswer(bytes memory answer) private pure returns (bytes memory) {
        bytes[] memory answers = abi.decode(answer, (bytes[]));
        return answers[answers.length - 1];
    }

    /// @dev Of CallFailed(index, reason).
    function _reason(bytes memory answer) private pure returns (bytes memory reason) {
        if (bytes4(answer) != IMulticall.CallFailed.selector) return answer;
        assembly ("memory-safe") {
            mstore(add(answer, 4), sub(mload(answer), 4))
            answer := add(answer, 4)
        }
        (, reason) = abi.decode(answer, (uint256, bytes));
    }

    /* SIGNATURES */

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev The short form of EIP-2098.
    function _signShort(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, v == 28 ? s | bytes32(uint256(1) << 255) : s);
    }
}
